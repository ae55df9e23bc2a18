#include "pipeline/evaluate/tally/wire.h"

#include <fmt/format.h>

#include "io/error.h"

namespace chainrule::pipeline::evaluate::tally {

void WireWriter::number(std::uint64_t value) {
  for (unsigned shift = 0; shift < 64; shift += 8) bytes_.push_back(static_cast<std::byte>(value >> shift));
}

void WireWriter::text(std::string_view value) {
  number(value.size());
  const auto bytes = std::as_bytes(std::span(value));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void WireWriter::section(const WireWriter& inner) {
  number(inner.bytes_.size());
  bytes_.insert(bytes_.end(), inner.bytes_.begin(), inner.bytes_.end());
}

std::span<const std::byte> WireReader::take(std::uint64_t bytes) {
  if (bytes > bytes_.size()) refuse("ends before what it announces");
  const auto taken = bytes_.first(bytes);
  bytes_ = bytes_.subspan(bytes);
  return taken;
}

std::uint64_t WireReader::number() {
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (const std::byte byte : take(sizeof value)) {
    value |= std::to_integer<std::uint64_t>(byte) << shift;
    shift += 8;
  }
  return value;
}

std::string WireReader::text() {
  const auto bytes = take(number());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

WireReader WireReader::section() { return {take(number()), from_}; }

std::size_t WireReader::list(std::size_t element_bytes) {
  const std::uint64_t elements = number();
  if (elements > bytes_.size() / element_bytes) refuse("ends before what it announces");
  return elements;
}

void WireReader::finish() const {
  if (!bytes_.empty()) refuse(fmt::format("goes on for {} bytes behind its end", bytes_.size()));
}

void WireReader::refuse(const std::string& what) const {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", from_, what));
}

}  // namespace chainrule::pipeline::evaluate::tally
