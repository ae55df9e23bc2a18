#include "io/tensorboard/record.h"

#include <boost/crc.hpp>
#include <cstddef>

namespace chainrule::io::tensorboard {
namespace {

template <typename Integer>
void append_little_endian(Integer value, std::string& bytes) {
  for (std::size_t i = 0; i < sizeof value; ++i) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> sum;
  sum.process_bytes(bytes.data(), bytes.size());
  const auto crc = static_cast<std::uint32_t>(sum.checksum());
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

std::string framed(std::string_view data) {
  std::string length;
  append_little_endian<std::uint64_t>(data.size(), length);
  std::string record = length;
  append_little_endian(masked_crc32c(length), record);
  record += data;
  append_little_endian(masked_crc32c(data), record);
  return record;
}

}  // namespace chainrule::io::tensorboard
