#include "io/text/text_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "io/error.h"
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

  /// Names found, relative to the test's folder.
  std::vector<std::string> found(const std::vector<std::string>& inputs) const {
    std::vector<std::string> names;
    for (const auto& file : find_text_files(inputs)) names.push_back(fs::path(file.name).lexically_relative(folder_));
    return names;
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

TEST_F(TextSourceTest, FoldersAreWalkedInByteOrderWithoutLinksOrRepeats) {
  const std::string second = write("b.txt", "b");
  write("dir/z.txt", "z");
  write("dir/B", "B");
  write("dir/sub/x", "x");
  write("dir/sub.txt", "s");
  fs::create_symlink(folder_ / "b.txt", folder_ / "dir" / "link.txt");
  fs::create_directory_symlink(folder_, folder_ / "dir" / "loop");
  EXPECT_THAT(found({second, folder_ / "dir"}), ElementsAre("b.txt", "dir/B", "dir/sub.txt", "dir/sub/x", "dir/z.txt"));
  EXPECT_THAT(found({folder_ / "dir" / "z.txt", folder_ / "dir", folder_ / "dir" / "." / "B"}),
              ElementsAre("dir/z.txt", "dir/B", "dir/sub.txt", "dir/sub/x"));
  EXPECT_THAT(found({folder_ / "dir" / "link.txt"}), ElementsAre("dir/link.txt"));  // named by the person
}

TEST_F(TextSourceTest, MissingAndCompressedInputsAreNamed) {
  expect_error([&] { find_text_files({folder_ / "absent"}); }, ErrorKind::missing_input, "absent");
  write("d/a.jsonl.gz", "x");
  expect_error([&] { find_text_files({folder_ / "d"}); }, ErrorKind::bad_data, "a.jsonl.gz");
}

TEST_F(TextSourceTest, APlainFileIsOneDocumentWhateverItsBytes) {
  const std::string content("a\0\xFF\r\n\n", 6);
  const auto files = find_text_files({write("x.txt", content)});
  std::vector<std::string> texts;
  visit_documents(files[0], "text", [&](std::string_view text, std::uint64_t line) {
    texts.emplace_back(text);
    EXPECT_EQ(line, 0U);
  });
  EXPECT_THAT(texts, ElementsAre(content));
  write("x.txt", "longer than before");
  expect_error([&] { visit_documents(files[0], "text", [](std::string_view, std::uint64_t) {}); },
               ErrorKind::input_output, "changed");
}

TEST_F(TextSourceTest, RangesThatTileAJsonLinesFileVisitEachDocumentOnce) {
  for (const std::string ending : {"", "\n", "\r\n\n"}) {
    const auto file = find_text_files({write("x.jsonl",
                                             "{\"text\": \"one\"}\n\n  \r\n{\"n\": 1, \"text\": \"\"}\n"
                                             "{\"text\": \"tr\\u00e8s\\n\"}" +
                                                 ending)})[0];
    const std::uint64_t lines = ending == "\r\n\n" ? 6 : 5;
    for (std::uint64_t piece = 1; piece <= file.bytes + 1; ++piece) {
      std::vector<std::string> texts;
      std::vector<std::uint64_t> at;
      std::uint64_t before = 0;
      for (std::uint64_t begin = 0; begin < file.bytes; begin += piece) {
        before += visit_documents(file, {begin, std::min(begin + piece, file.bytes)}, "text",
                                  [&](std::string_view text, std::uint64_t line) {
                                    texts.emplace_back(text);
                                    at.push_back(before + line);
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
    const auto file = find_text_files({write("bad.jsonl", good + "\n" + good + line + "\n" + good)})[0];
    const auto nothing = [](std::string_view, std::uint64_t) {};
    expect_error([&] { visit_documents(file, "text", nothing); }, ErrorKind::bad_data, "bad.jsonl' line 4: " + said);
    expect_error(
        [&] {
          visit_documents(file, {good.size() + 3, file.bytes}, "text", nothing);
        },
        ErrorKind::bad_data, "line 4: " + said);
  };
  expect("{\"text\": \"open", "invalid JSON");
  expect("{\"text\": \"\xFF\"}", "invalid JSON");
  expect("{\"text\": \"a\"} more", "invalid JSON");
  expect("{\"body\": \"a\"}", "no field 'text'");
  expect("{\"text\": 3}", "field 'text' is not a string");
  expect("[\"text\"]", "the line is not a JSON object");
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
