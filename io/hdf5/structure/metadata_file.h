#pragma once
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/regular_file.h"

namespace chainrule::io::hdf5::structure {

/// "No such thing" where a file holds an address.
inline constexpr std::uint64_t kUndefined = ~std::uint64_t{0};

/// Fields of a block that was read, taken one after another, little-endian. Taking more than there is, and refuse(),
/// throw Error bad_data with the file and the byte at which the last field began.
class Fields {
 public:
  Fields(std::shared_ptr<const std::vector<std::uint8_t>> bytes, std::uint64_t offset,
         std::shared_ptr<const std::string> file)
      : bytes_(std::move(bytes)), file_(std::move(file)), block_(offset), end_(bytes_->size()) {}

  template <std::unsigned_integral Number>
  Number take() {
    advance(sizeof(Number));
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(Number); i-- > 0;) value = value << 8U | (*bytes_)[field_ + i];
    return static_cast<Number>(value);
  }
  std::uint8_t u8() { return take<std::uint8_t>(); }
  std::uint16_t u16() { return take<std::uint16_t>(); }
  std::uint32_t u32() { return take<std::uint32_t>(); }
  std::uint64_t u64() { return take<std::uint64_t>(); }
  void skip(std::size_t bytes) { advance(bytes); }
  /// The next bytes as fields of their own.
  Fields part(std::size_t bytes);
  /// The next bytes must be these.
  void expect(std::string_view signature, std::string_view what);

  std::size_t left() const { return end_ - next_; }
  /// All that is left, as text.
  std::string_view text() const;

  [[noreturn]] void refuse(const std::string& what) const;
  void require(bool held, std::string_view what) const {
    if (!held) refuse(std::string(what));
  }

 private:
  void advance(std::size_t bytes);

  std::shared_ptr<const std::vector<std::uint8_t>> bytes_;
  std::shared_ptr<const std::string> file_;
  std::uint64_t block_;    ///< the file's byte at which bytes_ begin
  std::size_t end_;        ///< of these fields in bytes_
  std::size_t next_ = 0;   ///< first byte not taken yet
  std::size_t field_ = 0;  ///< first byte of what was taken last
};

/// A file whose structure is looked at: only what describes its data is read, each byte at most once. Everything that
/// it holds is claimed by one owner, so whatever points in circles is refused when it comes round, and a walk over the
/// file takes time and memory of the order of its size at most.
class MetadataFile {
 public:
  /// Throws Error missing_input where path cannot be opened or is no regular file.
  explicit MetadataFile(const std::filesystem::path& path);
  MetadataFile(const MetadataFile&) = delete;
  MetadataFile& operator=(const MetadataFile&) = delete;

  std::uint64_t bytes() const { return bytes_; }
  /// From now on the file ends at byte end, which is not beyond its end.
  void end_at(std::uint64_t end) { bytes_ = end; }

  /// Claims bytes from offset and reads them. Throws Error: bad_data as claim() does, or where the file has become
  /// shorter; input_output where the system cannot read.
  Fields read(std::uint64_t offset, std::uint64_t bytes, std::string_view what);
  /// Throws Error bad_data unless they are inside the file and nobody else's.
  void claim(std::uint64_t offset, std::uint64_t bytes, std::string_view what);

 private:
  std::shared_ptr<const std::string> name_;
  files::RegularFile file_;
  std::uint64_t bytes_;
  std::map<std::uint64_t, std::uint64_t> claimed_;  ///< begin to end
};

}  // namespace chainrule::io::hdf5::structure
