#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/atomic_file.h"
#include "io/files/temporary_folder.h"
#include "io/tokenizer/tokenizer.h"

namespace chainrule::io::tokenizer {

/// The files of data/make_fixture.py.
inline std::filesystem::path fixture(const std::string& name) { return std::filesystem::path(FIXTURE_FOLDER) / name; }

inline std::string random_bytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& each : bytes) each = static_cast<char>(random());
  return bytes;
}

/// Text of the kinds that splitting tells apart: words, contractions, digits, runs of spaces, many scripts, emoji.
inline std::string random_text(std::mt19937& random, int parts) {
  static const std::vector<std::string_view> kParts = {"the",
                                                       "it's",
                                                       "I'll",
                                                       "'ve",
                                                       "'",
                                                       "''d",
                                                       "S'T",
                                                       " ",
                                                       "  ",
                                                       "   ",
                                                       "\n",
                                                       "\r\n",
                                                       "\t",
                                                       "\x0b\x0c",
                                                       "42",
                                                       "1e9",
                                                       "Ⅷ",
                                                       "½",
                                                       "١٢",
                                                       "!",
                                                       "?!",
                                                       "--",
                                                       "_x_",
                                                       "\x1c",
                                                       "\x7f",
                                                       "\xe1\xa0\x8e",
                                                       "\xc2\xa0",
                                                       "\xc2\x85",
                                                       "\xe2\x80\x83",
                                                       "\xe3\x80\x80",
                                                       "\xe2\x80\xa8",
                                                       "\xe2\x80\x8b",
                                                       "é",
                                                       "e\xcc\x81",
                                                       "Привет",
                                                       "世界",
                                                       "हिन्दी",
                                                       "😀",
                                                       "𝔘",
                                                       "ʼn",
                                                       "€"};
  std::string text;
  for (int i = 0; i < parts; ++i) text += kParts[random() % kParts.size()];
  return text;
}

/// What such a tokenizer.json means.
inline Tokenizer loaded(const nlohmann::json& file) {
  const files::TemporaryFolder folder;
  files::write_file_atomically(folder.path() / "tokenizer.json", file.dump());
  return Tokenizer::load(folder.path() / "tokenizer.json");
}

inline std::vector<TokenId> encoded(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> ids;
  tokenizer.encode(text, ids);
  return ids;
}

}  // namespace chainrule::io::tokenizer
