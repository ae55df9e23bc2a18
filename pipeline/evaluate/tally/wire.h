#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::pipeline::evaluate::tally {

/// Results as bytes, which travel between ranks and lie in files: numbers of 64 bits, least significant byte first, and
/// texts behind their length.
class WireWriter {
 public:
  void number(std::uint64_t value);
  void text(std::string_view value);
  /// Everything that inner wrote, behind its length.
  void section(const WireWriter& inner);

  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// Reads what a WireWriter wrote. Each call throws io::Error bad_data naming `from` where the bytes end before what
/// they announce.
class WireReader {
 public:
  /// from says in messages where the bytes come from. They and it outlive the reader.
  WireReader(std::span<const std::byte> bytes, std::string_view from) : bytes_(bytes), from_(from) {}

  std::uint64_t number();
  std::string text();
  WireReader section();
  /// The length of a list whose elements have element_bytes each: no more than there can be, so it may be allocated.
  std::size_t list(std::size_t element_bytes);
  /// Refuses bytes that are left over.
  void finish() const;

  /// Throws io::Error bad_data: "FROM: WHAT".
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  std::span<const std::byte> take(std::uint64_t bytes);

  std::span<const std::byte> bytes_;  // not yet read
  std::string_view from_;
};

}  // namespace chainrule::pipeline::evaluate::tally
