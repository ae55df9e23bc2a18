#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/error.h"
#include "io/tokenizer/gguf_vocabulary.h"
#include "tests/io/tokenizer/fixture.h"

namespace chainrule::io::tokenizer {

/// Forms of tokenizer files that families use, with ids of other libraries (data/make_families.py).
inline const nlohmann::json& families() {
  static const nlohmann::json read = nlohmann::json::parse(files::read_file(fixture("families.json")));
  return read;
}

/// What loading says that it refuses.
inline std::string refusal(const std::function<Tokenizer()>& load) {
  try {
    load();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    return error.what();
  }
  return "loaded";
}

/// A SentencePiece model as a GGUF file holds it.
inline GgufVocabulary pieces() {
  const nlohmann::json& made = families()["pieces"];
  GgufVocabulary vocabulary;
  vocabulary.path = "model.gguf";
  vocabulary.model = "llama";
  vocabulary.tokens = made["tokens"].get<std::vector<std::string>>();
  vocabulary.scores = made["scores"].get<std::vector<float>>();
  vocabulary.token_types = made["types"].get<std::vector<std::int64_t>>();
  vocabulary.unknown_token_id = 0;
  vocabulary.bos_token_id = 1;
  vocabulary.eos_token_id = 2;
  return vocabulary;
}

}  // namespace chainrule::io::tokenizer
