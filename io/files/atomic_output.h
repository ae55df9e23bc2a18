#pragma once
#include <cstdio>
#include <filesystem>
#include <string_view>

namespace chainrule::io::files {

/// A new file written in parts: beside its place until commit() syncs it and renames it. Without a commit nothing is
/// left behind.
class AtomicOutput {
 public:
  /// Throws Error cannot_create, also where path is already there.
  explicit AtomicOutput(const std::filesystem::path& path);
  AtomicOutput(const AtomicOutput&) = delete;
  AtomicOutput& operator=(const AtomicOutput&) = delete;
  ~AtomicOutput();

  /// Appends bytes. Throws Error input_output.
  void write(std::string_view bytes);
  /// Puts the file in its place. Throws Error (cannot_create, also where path has come to be there; input_output).
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path beside_;
  std::FILE* file_;
};

/// Throws Error cannot_create where path is already there: for outputs that replace nothing.
void require_absent(const std::filesystem::path& path);

}  // namespace chainrule::io::files
