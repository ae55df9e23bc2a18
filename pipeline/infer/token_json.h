#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "io/tokenizer/tokenizer.h"

namespace chainrule::pipeline::infer {

/// {"token_id", "text", "bytes"}: text in valid UTF-8 (U+FFFD for what is none), bytes in hexadecimal, exact.
nlohmann::ordered_json token_json(io::tokenizer::TokenId token, std::string_view bytes);

}  // namespace chainrule::pipeline::infer
