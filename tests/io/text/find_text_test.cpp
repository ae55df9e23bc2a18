#include "io/text/find_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "io/error.h"

namespace chainrule::io::text {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kLine = "{\"text\": \"a\"}\n";
const std::string kLines = kLine + "\n" + kLine;

class FindTextTest : public ::testing::Test {
 protected:
  FindTextTest() : folder_(fs::path(::testing::TempDir()) / ("find-text-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~FindTextTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return (folder_ / name).string();
  }
  void link(const std::string& name, const std::string& to) const {
    fs::create_directories((folder_ / name).parent_path());
    fs::create_symlink(to, folder_ / name);
  }

  FoundTexts find(const std::vector<std::string>& inputs, const FindOptions& options = {}) const {
    std::vector<std::string> paths;
    for (const auto& input : inputs) paths.push_back((folder_ / input).string());
    return find_text_files(paths, options);
  }
  /// Names found, relative to the test's folder.
  std::vector<std::string> found(const std::vector<std::string>& inputs) const {
    std::vector<std::string> names;
    for (const auto& file : find(inputs).files) names.push_back(fs::path(file.name).lexically_relative(folder_));
    return names;
  }
  /// "NAME: WHY" of what is left out of an input.
  std::vector<std::string> left_out(const std::string& input) const {
    std::vector<std::string> lines;
    for (const auto& each : find({input}).left_out) {
      lines.push_back(fs::path(each.name).lexically_relative(folder_ / input).string() + ": " + std::string(each.why));
    }
    return lines;
  }
  void expect_refused(const std::string& input, const std::string& words, const FindOptions& options = {},
                      ErrorKind kind = ErrorKind::bad_data) const {
    try {
      find({input}, options);
      ADD_FAILURE() << input << " is taken, though it should say: " << words;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  }
  TextFormat format_of(const std::string& name, const std::string& content, const FindOptions& options = {}) const {
    write(name, content);
    const auto files = find({name}, options).files;
    fs::remove(folder_ / name);
    return files.at(0).format;
  }

  fs::path folder_;
};

TEST_F(FindTextTest, FoldersAreWalkedInByteOrderWithoutRepeats) {
  write("b.txt", "b");
  write("dir/z.txt", "z");
  write("dir/B", "B");
  write("dir/sub/x", "x");
  write("dir/sub.txt", "s");
  EXPECT_THAT(found({"b.txt", "dir"}), ElementsAre("b.txt", "dir/B", "dir/sub.txt", "dir/sub/x", "dir/z.txt"));
  EXPECT_THAT(found({"dir/z.txt", "dir", "dir/./B"}), ElementsAre("dir/z.txt", "dir/B", "dir/sub.txt", "dir/sub/x"));
  EXPECT_THAT(left_out("dir"), IsEmpty());
  expect_refused("absent", "absent", {}, ErrorKind::missing_input);
}

TEST_F(FindTextTest, LinksAreFollowedAndTheSameFileIsFoundOnce) {
  write("out/b.txt", "b");
  write("out/more/c.txt", "c");
  write("dir/a.txt", "a");
  link("dir/b", "../out/b.txt");
  link("dir/later", "b");
  link("dir/twin.txt", "a.txt");
  link("dir/folder", "../out/more");
  link("dir/sub/again", "../../out");
  EXPECT_THAT(found({"dir"}), ElementsAre("dir/a.txt", "dir/b", "dir/folder/c.txt"));
  EXPECT_THAT(found({"dir/twin.txt", "dir"}), ElementsAre("dir/twin.txt", "dir/b", "dir/folder/c.txt"));
  const auto files = find({"dir"}).files;
  EXPECT_EQ(files[2].place, (fs::canonical(folder_) / "dir/folder/c.txt").string());
  EXPECT_EQ(files[2].identity, (fs::canonical(folder_) / "out/more/c.txt").string());
}

TEST_F(FindTextTest, LinksInCirclesAndToNowhereAreLeftOut) {
  write("dir/a.txt", "a");
  write("dir/sub/b.txt", "b");
  write("beside.txt", "not below dir");
  link("dir/up", "..");
  link("dir/sub/here", ".");
  link("dir/sub/root", "..");
  link("dir/self", "self");
  link("dir/ping", "pong");
  link("dir/pong", "ping");
  link("dir/lost", "nowhere");
  EXPECT_THAT(found({"dir"}), ElementsAre("dir/a.txt", "dir/sub/b.txt"));
  EXPECT_THAT(left_out("dir"),
              ElementsAre("lost: link that leads nowhere", "ping: link in a circle", "pong: link in a circle",
                          "self: link in a circle", "sub/root: link in a circle", "up: link in a circle"));
  expect_refused("dir/lost", "lost", {}, ErrorKind::missing_input);
}

TEST_F(FindTextTest, ManyWaysIntoTheSameFoldersAreWalkedOnce) {
  for (int level = 0; level < 40; ++level) {  // 2^40 paths
    for (const char* name : {"a", "b"}) {
      link("dir/" + std::to_string(level) + "/" + name, "../" + std::to_string(level + 1));
    }
  }
  write("dir/40/x", "x");
  EXPECT_THAT(found({"dir"}), ElementsAre("dir/40/x"));
  EXPECT_THAT(found({"dir/0"}).size(), 1U);
}

TEST_F(FindTextTest, AHuggingFaceCacheIsReadThroughItsSnapshots) {
  write("cache/blobs/0123abcd", kLine);  // whose format its name does not say
  write("cache/refs/main", "0123");
  link("cache/snapshots/0123/train.jsonl", "../../blobs/0123abcd");
  EXPECT_THAT(found({"cache"}), ElementsAre("cache/snapshots/0123/train.jsonl"));
  EXPECT_EQ(find({"cache"}).files[0].format, TextFormat::json_lines);
  EXPECT_THAT(left_out("cache"), ElementsAre("blobs: inner folder of a cache", "refs: inner folder of a cache"));
}

TEST_F(FindTextTest, WhatIsHiddenIsLeftOutUnlessNamed) {
  for (const char* name : {".DS_Store", ".git/config", "a.txt", "sub/.x", "sub/b.txt"}) write("dir/"s + name, "x");
  EXPECT_THAT(found({"dir"}), ElementsAre("dir/a.txt", "dir/sub/b.txt"));
  EXPECT_THAT(left_out("dir"), ElementsAre(".DS_Store: hidden", ".git: hidden", "sub/.x: hidden"));
  EXPECT_THAT(found({"dir/.git"}), ElementsAre("dir/.git/config"));
  EXPECT_THAT(found({"dir/sub/.x"}), ElementsAre("dir/sub/.x"));
}

TEST_F(FindTextTest, WhatIsNeitherFileNorFolderIsLeftOut) {
  write("dir/a.txt", "x");
  ASSERT_EQ(::mkfifo((folder_ / "dir/pipe").c_str(), 0600), 0);
  EXPECT_THAT(left_out("dir"), ElementsAre("pipe: neither file nor folder"));
  expect_refused("dir/pipe", "neither", {}, ErrorKind::missing_input);
}

TEST_F(FindTextTest, CompressedAndBinaryContentIsKnownByItsBytesAndByEndingsInAnyCase) {
  const std::string noise = [] {
    std::string bytes;
    for (unsigned i = 0; i < 1000; ++i) bytes += static_cast<char>(i * i * 40503U >> 8U);
    return bytes;
  }();
  const std::string tar = std::string(100, 'n') + std::string(157, '0') + "ustar  ";
  const std::vector<std::pair<std::string, std::string>> files = {
      {"a.txt", "\x1f\x8b\x08" + noise},
      {"b.JSONL.GZ", "x"},
      {"c.tgz", "x"},
      {"d", "BZh91AY&SY"},
      {"e", "\xFD"s + "7zXZ\0"s},
      {"f", "\x28\xB5\x2F\xFD" + noise},
      {"g", "PK\3\4" + noise},
      {"h", tar},
      {"i.md", "%PDF-1.7 text"},
      {"j", "\x89HDF\r\n\x1a\n"},
      {"k", "\x10\0\0\0\0\0\0\0{\"a\": 1}   "s},
      {"l", "GGUF\3\0\0\0"s},
      {"m", "PAR1\x15\x04"},
      {"n", "\x7f" + "ELF"s},
      {"o.txt", "\xFF\xFEt\0e\0x\0t\0"s},
      {"p.txt", "t\0e\0x\0t\0"s},
      {"q", noise},
      {"r.sh", std::string(20'000, 'x') + noise + noise + noise + noise + noise + noise + noise + noise + noise},
      {"s.Zip", "x"},
  };
  for (const auto& [name, content] : files) {
    write("dir/" + name, content);
    expect_refused("dir/" + name, name);
  }
  EXPECT_THAT(found({"dir"}), IsEmpty());
  const auto left = find({"dir"}).left_out;
  EXPECT_EQ(left.size(), files.size());
  for (const auto& each : left) EXPECT_EQ(each.why, kWhyBinary) << each.name;
}

TEST_F(FindTextTest, OddTextIsText) {
  const std::vector<std::string> texts = {"",
                                          "caf\xe9 in Latin-1",
                                          "one stray \0 byte"s,
                                          "\x1b[1mbold\x1b[0m \x1b[1mbold\x1b[0m",
                                          "\xef\xbb\xbfwith a mark",
                                          "\f\v\t\r\n",
                                          "{ int a; }\n{ int b; }\n",
                                          "{\n}\n",
                                          "[link](text)",
                                          "{}",
                                          "{\"name\": \"x\", \"text\": 3}\n",
                                          "{\n  \"name\": \"x\"\n}\n{\n  \"name\": \"y\"\n}\n",
                                          "[{\"a\": 1}, 2]",
                                          "{\"name\": \"text\"} and so on",
                                          "3",
                                          "GGUF is a format",
                                          "GGUF",
                                          "BZh",
                                          "PAR1, LZIP, ORC, BZh9, GIF8",
                                          "BZh9 and more",
                                          "LZIP",
                                          "PAR1 ",
                                          "ORCHESTRA",
                                          "\"text\""};
  for (const auto& text : texts) {
    SCOPED_TRACE(text);
    EXPECT_EQ(format_of("a", text), TextFormat::plain);
  }
}

TEST_F(FindTextTest, JsonLinesAreKnownByNameInAnyCaseAndByContent) {
  for (const char* name : {"a.jsonl", "a.JSONL", "a.ndjson", "a.NdJson", "a.jsonlines"}) {
    EXPECT_EQ(format_of(name, kLine), TextFormat::json_lines) << name;
    EXPECT_EQ(format_of(name, ""), TextFormat::json_lines) << name;
  }
  for (const char* name : {"a.json", "a.txt", "blob", ".jsonl"}) {
    EXPECT_EQ(format_of(name, kLines), TextFormat::json_lines) << name;
    EXPECT_EQ(format_of(name, "\xef\xbb\xbf\r\n" + kLine + "\r\n {\"n\": [1, {}]} "), TextFormat::json_lines) << name;
    EXPECT_EQ(format_of(name, kLine + kLine + "damaged"), TextFormat::json_lines) << name;  // the reader names the line
  }
  EXPECT_EQ(format_of("a", "{\"body\": \"x\"}\n{}\n", {"body"}), TextFormat::json_lines);
}

TEST_F(FindTextTest, WhatCannotBeToldApartIsRefusedUnlessThePersonSays) {
  const std::vector<std::pair<std::string, std::string>> doubtful = {
      {kLine, "is one JSON object with 'text'"},
      {"{\n\"text\":\n\"a\"\n}\n", "is one JSON object with 'text'"},
      {"{\"n\": 1}\n{\"n\": 2}\n", "holds lines of JSON objects, the first without 'text'"},
      {"{\n\"text\": \"a\"}\n{\"text\": \"b\"}", "holds JSON objects with 'text' that are not one a line"},
      {kLine.substr(0, kLine.size() - 1) + kLine, "holds JSON objects with 'text' that are not one a line"},
      {kLine + "text", "begins with a JSON object with 'text'"},
      {kLine + "{\"text\": \"b", "begins with a JSON object with 'text'"},
      {"{\"text\": \"a\"\n" + kLine, "begins as JSON that is malformed"},
      {"[" + kLine + "," + kLine + "]", "is a JSON array of objects with 'text'"},
      {"[{\"n\": 1}, {\"text\": \"a\"}]", "is a JSON array of objects with 'text'"},
      {"{\"n\": 1e999}", "begins as JSON that is a number that no double holds"},
      {"{\"n\": " + std::string(300'000, '['), "begins as JSON that is nested deeper"},
  };
  for (const auto& [content, words] : doubtful) {
    write("d/a.json", content);
    expect_refused("d/a.json", "a.json' " + words);
    expect_refused("d", "a.json' " + words);
    EXPECT_EQ(find({"d"}, {"text", FormatChoice::plain}).files[0].format, TextFormat::plain);
    EXPECT_EQ(find({"d"}, {"text", FormatChoice::json_lines}).files[0].format, TextFormat::json_lines);
  }
}

TEST_F(FindTextTest, WhatChainruleWroteIsLeftOutAndRefusedWhereNamed) {
  write("dir/a.txt", "a");
  write("dir/data/train/index.json", "{\n  \"format\": \"chainrule data set\"\n}\n");
  write("dir/data/train/tokenizer.json", "{}");
  write("dir/run/config.cfg", "# A run of chainrule pretrain: the options it was started with.\nsteps = 1\n");
  write("dir/run/metrics.jsonl", "{}\n{}\n");
  write("dir/step/manifest.json", "{\"files\": {}, \"format\": \"chainrule-checkpoint\"}");
  write("dir/report/report.json", "{\"format\": \"chainrule evaluation report\"}");
  write("dir/reports/protocols.json", "{\"format\": \"chainrule evaluation by protocols\"}");
  write("dir/reports/gptq/documents.csv", "index\n");
  write("dir/data.partial-12/spill/x", "x");
  write("dir/lone/model.json", "{\"format\": \"chainrule-model\"}");
  write("dir/other/index.json", "{\"format\": \"another\"}");
  write("dir/other/config.cfg", "steps = 1\n");
  EXPECT_THAT(found({"dir"}), ElementsAre("dir/a.txt", "dir/other/config.cfg", "dir/other/index.json"));
  EXPECT_THAT(left_out("dir"),
              ElementsAre("data.partial-12: unfinished output", "data/train: of chainrule's own",
                          "lone/model.json: of chainrule's own", "report: of chainrule's own",
                          "reports: of chainrule's own", "run: of chainrule's own", "step: of chainrule's own"));
  expect_refused("dir/data/train", "is a data set of chainrule's, not text");
  expect_refused("dir/run", "is a run of chainrule's, not text");
  expect_refused("dir/lone/model.json", "is a file of chainrule's own, not text");
}

TEST_F(FindTextTest, TheReportCountsReasonsAndNamesEachOnDemand) {
  EXPECT_EQ(report_of({}, true), "");
  const std::vector<LeftOut> left = {{"d/.a", kWhyHidden, ""}, {"d/b\n", kWhyBinary, "gzip"}, {"d/.c", kWhyHidden, ""}};
  EXPECT_EQ(report_of(left, false),
            "3 left out below the inputs (1 compressed or binary, 2 hidden); --list-skipped names them\n");
  EXPECT_EQ(report_of(left, true),
            "3 left out below the inputs (1 compressed or binary, 2 hidden):\n  'd/.a': hidden\n"
            "  'd/b\\u{a}': compressed or binary (gzip)\n  'd/.c': hidden\n");
}

}  // namespace
}  // namespace chainrule::io::text
