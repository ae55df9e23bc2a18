#include "pipeline/evaluate/requests/request_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/temporary_folder.h"

namespace chainrule::tests {
namespace {

namespace requests = pipeline::evaluate::requests;

/// Of a few letters, with a pattern that gives up on many of one before another.
io::tokenizer::Tokenizer letters() {
  const io::files::TemporaryFolder folder;
  io::files::write_file_atomically(folder.path() / "tokenizer.json", R"({
    "added_tokens": [{"id": 3, "content": "<|endoftext|>", "special": true, "normalized": false,
                      "lstrip": false, "rstrip": false, "single_word": false}],
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"Regex": "(?:x+x+)+y"}, "behavior": "Isolated", "invert": false},
      {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]},
    "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
    "model": {"type": "BPE", "vocab": {"x": 0, "y": 1, "Ġ": 2}, "merges": []}})");
  return io::tokenizer::Tokenizer::load(folder.path() / "tokenizer.json");
}

TEST(RequestEncoder, NamesTheRequestOfWhichNoTokensCanBeMade) {
  const io::tokenizer::Tokenizer tokenizer = letters();
  const requests::RequestEncoder encoder(tokenizer, 8);
  const auto encode = [&](bool rolling, const std::string& text) {
    requests::Request request;
    request.rolling = rolling;
    request.text = text;
    return encoder.encode(request, "'r.jsonl', line 7").scored;
  };
  for (const bool rolling : {false, true}) {
    EXPECT_EQ(encode(rolling, "xxxy y"), 6);
    try {
      encode(rolling, std::string(40, 'x').append(" y"));
      ADD_FAILURE();
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), io::ErrorKind::bad_data);
      EXPECT_THAT(error.what(), testing::StartsWith("'r.jsonl', line 7: matching the pattern"));
    }
  }
}

}  // namespace
}  // namespace chainrule::tests
