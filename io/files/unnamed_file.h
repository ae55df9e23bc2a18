#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace chainrule::io::files {

/// Bytes that are too many for memory, in a file without a name: it is gone with the process, however that ends.
class UnnamedFile {
 public:
  /// Made in folder. Throws Error cannot_create.
  explicit UnnamedFile(const std::filesystem::path& folder);
  UnnamedFile(UnnamedFile&& other) noexcept;
  UnnamedFile& operator=(UnnamedFile&&) = delete;
  ~UnnamedFile();

  /// Throws Error input_output.
  void append(std::span<const std::byte> bytes);
  /// To be called once all is appended, before reading. Throws Error input_output.
  void flush();
  std::uint64_t bytes() const { return written_ + waiting_.size(); }

  /// Reads bytes [offset, offset + bytes.size()), which were appended. From several threads at once. Throws Error
  /// input_output.
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;

 private:
  [[noreturn]] void fail(const char* operation) const;

  std::filesystem::path folder_;
  int file_ = -1;
  std::uint64_t written_ = 0;
  std::vector<std::byte> waiting_;
};

}  // namespace chainrule::io::files
