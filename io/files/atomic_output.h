#pragma once
#include <cstdio>
#include <filesystem>
#include <string_view>

namespace chainrule::io::files {

/// A new file written in parts: beside its place until commit() syncs it and renames it. Without a commit nothing is
/// left behind; where only the last rename fails, the complete file stays beside its place and the message names it.
class AtomicOutput {
 public:
  /// Makes the folders it goes into. Throws Error cannot_create, also where path is already there.
  explicit AtomicOutput(const std::filesystem::path& path);
  AtomicOutput(const AtomicOutput&) = delete;
  AtomicOutput& operator=(const AtomicOutput&) = delete;
  ~AtomicOutput();

  /// Appends bytes. Throws Error input_output.
  void write(std::string_view bytes);
  /// Sees to it that all that was written is on disk. Throws Error input_output.
  void sync();
  /// Where the bytes lie until the commit.
  const std::filesystem::path& beside() const { return beside_; }
  /// Puts the file in its place. Throws Error (cannot_create, also where path has come to be there; input_output).
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path beside_;
  std::FILE* file_ = nullptr;
};

/// Throws Error cannot_create where path is already there, a link to nothing included: for outputs that replace
/// nothing.
void require_absent(const std::filesystem::path& path);

/// Makes the folders that path goes into. Throws Error cannot_create where they cannot be made or written to: to be
/// asked before the work that ends in path.
void make_place_for(const std::filesystem::path& path);

}  // namespace chainrule::io::files
