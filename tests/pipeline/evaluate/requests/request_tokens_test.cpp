#include "pipeline/evaluate/requests/request_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.h"
#include "tests/support/tokenizer_that_gives_up.h"

namespace chainrule::tests {
namespace {

namespace requests = pipeline::evaluate::requests;

TEST(RequestEncoder, NamesTheRequestOfWhichNoTokensCanBeMade) {
  const io::tokenizer::Tokenizer tokenizer = tokenizer_that_gives_up();
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
