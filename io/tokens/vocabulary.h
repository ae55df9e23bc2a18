#pragma once
#include <cstdint>

namespace chainrule::io::tokens {

/// What a stream knows of its tokenizer's ids.
struct Vocabulary {
  std::uint32_t size = 0;  ///< every id is below it
  std::uint32_t end_of_text = 0;
  std::uint32_t start_token = 0;
};

}  // namespace chainrule::io::tokens
