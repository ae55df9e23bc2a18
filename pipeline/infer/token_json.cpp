#include "pipeline/infer/token_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "pipeline/show/legible.h"

namespace chainrule::pipeline::infer {

nlohmann::ordered_json token_json(io::tokenizer::TokenId token, std::string_view bytes) {
  std::string hexadecimal;
  for (const char byte : bytes) hexadecimal += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return {{"token_id", token}, {"text", show::valid_utf8(bytes)}, {"bytes", hexadecimal}};
}

}  // namespace chainrule::pipeline::infer
