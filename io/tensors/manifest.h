#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::io::tensors {

/// What a manifest says of one file beside it.
struct ManifestEntry {
  std::string name;  ///< a plain file name
  std::uint64_t bytes = 0;
  std::string xxh3_128;  ///< of the whole file, 32 hexadecimal digits
  bool operator==(const ManifestEntry&) const = default;
};

inline constexpr const char* kManifestName = "manifest.json";

/// Reads a file back and describes it. Throws Error (missing_input, input_output).
ManifestEntry describe_file(const std::filesystem::path& path);

/// The entries of a manifest's text; path is what messages name. Throws Error bad_data.
std::vector<ManifestEntry> parse_manifest(std::string_view text, const std::filesystem::path& path);

/// manifest.json of a checkpoint folder: the files that belong to it, each with size and checksum. It is written last,
/// so a folder without one is no checkpoint, and a reader trusts only what it vouches for.
class Manifest {
 public:
  Manifest(std::filesystem::path folder, std::vector<ManifestEntry> entries);
  /// Reads folder's manifest and checks that every file is there with its size. Throws Error bad_data where the
  /// manifest or a file is absent, damaged or of another size.
  static Manifest read(const std::filesystem::path& folder);

  /// Writes it, atomically. Throws Error.
  void write() const;

  const std::vector<ManifestEntry>& entries() const { return entries_; }
  /// Re-reads a file and compares its checksum. Throws Error bad_data on a difference, or for a file that the manifest
  /// does not name.
  void verify(const std::string& name) const;

 private:
  std::filesystem::path folder_;
  std::vector<ManifestEntry> entries_;
};

}  // namespace chainrule::io::tensors
