#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace chainrule::io::tensorboard {

/// CRC-32C (Castagnoli), turned and shifted as TFRecord stores it, so that the checksum of data that holds checksums is
/// no weaker.
std::uint32_t masked_crc32c(std::string_view bytes);

/// A record of a TFRecord file: length (u64), its checksum (u32), data, its checksum (u32), all little-endian
/// (tensorflow/core/lib/io/record_writer.cc).
std::string framed(std::string_view data);

}  // namespace chainrule::io::tensorboard
