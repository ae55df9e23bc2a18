#pragma once
#include <string>
#include <string_view>

#include "tests/io/tensors/file_case.h"

namespace chainrule::io::tensors::safetensors {

/// A file of this header and so many bytes of tensors, which count up.
inline std::string file_of(std::string_view header, std::size_t data_bytes) {
  std::string file = bytes_of(std::uint64_t{header.size()}) + std::string(header);
  for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i);
  return file;
}

/// A tensor of a header.
inline std::string entry(std::string_view name, std::string_view type, std::string_view shape, std::size_t begin,
                         std::size_t end) {
  return "\"" + std::string(name) + "\":{\"dtype\":\"" + std::string(type) + "\",\"shape\":" + std::string(shape) +
         ",\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

}  // namespace chainrule::io::tensors::safetensors
