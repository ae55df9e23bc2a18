#include "io/text/text_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "io/error.h"
#include "io/text/find_text.h"
#include "io/text/word_count.h"

namespace chainrule::io::text {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TextSourceTest : public ::testing::Test {
 protected:
  TextSourceTest() : folder_(fs::path(::testing::TempDir()) / ("text-source-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~TextSourceTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return (folder_ / name).string();
  }

  static void expect_error(const std::function<void()>& work, ErrorKind kind, const std::string& named) {
    try {
      work();
      ADD_FAILURE() << "no error, expected one naming " << named;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      EXPECT_THAT(error.what(), HasSubstr(named));
    }
  }

  fs::path folder_;
};

TEST_F(TextSourceTest, APlainFileIsOneDocumentWhateverItsBytes) {
  const std::string content("a\0\xFF\r\n\n", 6);
  const auto files = find_text_files({write("x.txt", content)}).files;
  std::vector<std::string> texts;
  visit_documents(files[0], {}, [&](const Document& document) {
    texts.emplace_back(document.text);
    EXPECT_EQ(document.line, 0U);
  });
  EXPECT_THAT(texts, ElementsAre(content));
  write("x.txt", "longer than before");
  expect_error([&] { visit_documents(files[0], {}, [](const Document&) {}); }, ErrorKind::input_output, "changed");
}

TEST_F(TextSourceTest, RangesThatTileAJsonLinesFileVisitEachDocumentOnce) {
  for (const std::string ending : {"", "\n", "\r\n\n"}) {
    const auto file = find_text_files({write("x.jsonl",
                                             "{\"text\": \"one\"}\n\n  \r\n{\"n\": 1, \"text\": \"\"}\n"
                                             "{\"text\": \"tr\\u00e8s\\n\"}" +
                                                 ending)})
                          .files[0];
    const std::uint64_t lines = ending == "\r\n\n" ? 6 : 5;
    for (std::uint64_t piece = 1; piece <= file.bytes + 1; ++piece) {
      std::vector<std::string> texts;
      std::vector<std::uint64_t> at;
      std::uint64_t before = 0;
      for (std::uint64_t begin = 0; begin < file.bytes; begin += piece) {
        before +=
            visit_documents(file, {begin, std::min(begin + piece, file.bytes)}, {}, [&](const Document& document) {
              texts.emplace_back(document.text);
              at.push_back(before + document.line);
            });
      }
      EXPECT_THAT(texts, ElementsAre("one", "", "très\n")) << piece;
      EXPECT_THAT(at, ElementsAre(1, 4, 5)) << piece;
      EXPECT_EQ(before, lines) << piece;
    }
  }
}

TEST_F(TextSourceTest, BadLinesAreNamedWithFileAndLine) {
  const std::string good = "{\"text\": \"fine\"}\n";
  const auto expect = [&](const std::string& line, const std::string& said) {
    const auto file = find_text_files({write("bad.jsonl", good + "\n" + good + line + "\n" + good)}).files[0];
    const auto nothing = [](const Document&) {};
    expect_error([&] { visit_documents(file, {}, nothing); }, ErrorKind::bad_data, "bad.jsonl' line 4: " + said);
    expect_error(
        [&] {
          visit_documents(file, {good.size() + 3, file.bytes}, {}, nothing);
        },
        ErrorKind::bad_data, "line 4: " + said);
  };
  expect("{\"text\": \"open", "invalid JSON");
  expect("{\"text\": \"\xFF\"}", "invalid JSON");
  expect("{\"text\": \"a\"} more", "invalid JSON");
  expect(std::string("{\"text\": \"a\"}\0{\"text\": \"b\"}", 27), "invalid JSON at byte 14 of the line: malformed");
  expect("{\"body\": \"a\"}", "no field 'text'");
  expect("{\"text\": 3}", "field 'text' is not a string");
  expect("[\"text\"]", "the line is not a JSON object");
  expect("{\"text\": \"a\", \"score\": 1e999}", "invalid JSON at byte 28 of the line: a number that no double holds");
  expect("{\"score\": -1e999, \"text\": \"a\"}", "invalid JSON at byte 16 of the line: a number that no double holds");
  expect("{\"n\": [" + std::string(400, '9') + "e1], \"text\": \"a\"}", "invalid JSON");
  expect("{\"text\": " + std::string(300'000, '['), "invalid JSON: nested deeper than 128 levels");
  expect("{\"text\": " + std::string(300'000, '[') + std::string(300'000, ']') + "}", "invalid JSON: nested deeper");
}

TEST_F(TextSourceTest, WhatIsRefusedOfATextIsNamedWithFileAndLine) {
  const auto refuses = [](ErrorKind kind) {
    return [kind](const Document& document) {
      if (document.text == "bad") throw Error(kind, "of the text");
    };
  };
  const std::string good = "{\"text\": \"fine\"}\n";
  const auto lines = find_text_files({write("x.jsonl", good + good + "{\"text\": \"bad\"}\n")}).files[0];
  const auto plain = find_text_files({write("x.txt", "bad")}).files[0];
  for (const std::uint64_t begin : {std::size_t{0}, good.size()}) {
    expect_error(
        [&] {
          visit_documents(lines, {begin, lines.bytes}, {}, refuses(ErrorKind::bad_data));
        },
        ErrorKind::bad_data, "x.jsonl' line 3: of the text");
  }
  expect_error([&] { visit_documents(plain, {}, refuses(ErrorKind::bad_data)); }, ErrorKind::bad_data,
               "x.txt': of the text");
  for (const TextFile& file : {lines, plain}) {  // as it is: not of the text
    try {
      visit_documents(file, {}, refuses(ErrorKind::input_output));
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "of the text");
    }
  }
}

TEST_F(TextSourceTest, TheTextIsTheFieldOfTheLineItselfAndOfSeveralTheLast) {
  const auto file = find_text_files({write("x.jsonl",
                                           "{\"a\": {\"text\": \"no\"}, \"text\": \"one\", \"b\": [{\"text\": 3}]}\n"
                                           "{\"text\": 1, \"text\": \"two\", \"n\": 1e308}\n"
                                           "\xEF\xBB\xBF{\"text\": \"three\"}\n")})
                        .files[0];
  std::vector<std::string> texts;
  visit_documents(file, {}, [&](const Document& document) { texts.emplace_back(document.text); });
  EXPECT_THAT(texts, ElementsAre("one", "two", "three"));
}

TEST_F(TextSourceTest, NamesAreShownWithoutWhatMovesATerminal) {
  const auto file = find_text_files({write("a\x1b[2J\n.jsonl", "{}\n")}).files[0];
  expect_error([&] { visit_documents(file, {"\x1b]0;x"}, [](const Document&) {}); }, ErrorKind::bad_data,
               "a\\u{1b}[2J\\u{a}.jsonl' line 1: no field '\\u{1b}]0;x'");
}

TEST(WordCount, OfATextInPartsIsThatOfTheWhole) {
  const std::string text =
      "a\xE2\x80\x83\xE2\x80\x83 b\xC2\xA0\xE8\xAA\x9E\x85\xE2\x80 \xF0\x9F\x98\x80\x80\x80\x80\x80 \xE2";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      WordCounter counter;
      counter.add(text.substr(0, first));
      counter.add(text.substr(first, second - first));
      counter.add(text.substr(second));
      EXPECT_EQ(counter.words(), count_words(text)) << first << " " << second;
    }
  }
  EXPECT_EQ(count_words(text), 5U);
}

TEST(WordCount, CountsAsPythonSplits) {
  EXPECT_EQ(count_words(""), 1U);
  EXPECT_EQ(count_words("one"), 1U);
  EXPECT_EQ(count_words(" one"), 2U);
  EXPECT_EQ(count_words("one  two\t\r\nthree\n"), 4U);
  EXPECT_EQ(count_words("a\u00A0b\u3000c\u2009d\u1680e\u2028f\u0085g\x1Ch"), 8U);
  EXPECT_EQ(count_words("a\u200Bb\u180Ec\u2060d\uFEFFe"), 1U);  // no white space, these
  EXPECT_EQ(count_words("a\xC2 b\xE2\x80 c\xE3"), 3U);          // cut characters
}

}  // namespace
}  // namespace chainrule::io::text
