#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/tensors/gguf/metadata.h"
#include "tests/io/tensors/file_case.h"

namespace chainrule::io::tensors::gguf {

inline std::string text(std::string_view characters) {
  return bytes_of(std::uint64_t{characters.size()}) + std::string(characters);
}

/// A key-value pair whose value is given as bytes.
inline std::string pair(std::string_view key, ValueType type, std::string_view value) {
  return text(key) + bytes_of(static_cast<std::uint32_t>(type)) + std::string(value);
}

/// An array's value.
inline std::string array(ValueType type, std::uint64_t count, std::string_view elements) {
  return bytes_of(static_cast<std::uint32_t>(type)) + bytes_of(count) + std::string(elements);
}

/// A tensor's description; dimensions as in the file, fastest first.
inline std::string tensor(std::string_view name, const std::vector<std::uint64_t>& dimensions, std::uint32_t type,
                          std::uint64_t offset) {
  std::string bytes = text(name) + bytes_of(static_cast<std::uint32_t>(dimensions.size()));
  for (const std::uint64_t extent : dimensions) bytes += bytes_of(extent);
  return bytes + bytes_of(type) + bytes_of(offset);
}

/// A file of these pairs and tensors, padded to 32 bytes, and so many bytes of data.
inline std::string file_of(const std::vector<std::string>& pairs, const std::vector<std::string>& tensors,
                           std::size_t data_bytes, std::uint32_t version = 3) {
  std::string file =
      "GGUF" + bytes_of(version) + bytes_of(std::uint64_t{tensors.size()}) + bytes_of(std::uint64_t{pairs.size()});
  for (const std::string& each : pairs) file += each;
  for (const std::string& each : tensors) file += each;
  file.resize((file.size() + 31) / 32 * 32);
  for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i);
  return file;
}

}  // namespace chainrule::io::tensors::gguf
