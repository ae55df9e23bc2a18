#include "io/files/line_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/error.h"

namespace chainrule::io::files {
namespace {

class LineReaderTest : public testing::Test {
 protected:
  ~LineReaderTest() override { std::filesystem::remove(file_); }

  void write(const std::string& content) const { std::ofstream(file_, std::ios::binary) << content; }

  std::vector<std::string> lines(std::size_t most_line_bytes = 1 << 20) const {
    std::vector<std::string> all;
    LineReader reader(file_, most_line_bytes);
    while (const auto line = reader.next()) {
      all.emplace_back(*line);
      EXPECT_EQ(reader.line_number(), static_cast<std::int64_t>(all.size()));
    }
    return all;
  }

  std::filesystem::path file_ =
      std::filesystem::temp_directory_path() / ("chainrule-lines-" + std::to_string(::getpid()));
};

TEST_F(LineReaderTest, GivesWholeLinesOnly) {
  write("");
  EXPECT_THAT(lines(), testing::IsEmpty());
  write("torn");
  EXPECT_THAT(lines(), testing::IsEmpty());
  write("one\n\nthree\ntorn");
  EXPECT_THAT(lines(), testing::ElementsAre("one", "", "three"));
}

TEST_F(LineReaderTest, LinesMayLieAcrossWhatIsReadAtOnce) {
  std::string content;
  std::vector<std::string> expected;
  for (std::size_t bytes : {65'530U, 3U, 10U, 200'000U, 65'535U, 0U, 1U}) {
    expected.emplace_back(bytes, static_cast<char>('a' + expected.size()));
    content += expected.back() + "\n";
  }
  write(content);
  EXPECT_EQ(lines(), expected);
}

TEST_F(LineReaderTest, RefusesALineBeyondItsBoundByItsNumber) {
  write("12345678\n" + std::string(9, 'x') + "\n");
  try {
    lines(8);
    FAIL() << "a longer line was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    EXPECT_THAT(error.what(), testing::HasSubstr("line 2: it is longer than 8 bytes"));
  }
  write(std::string(1'000'000, 'x'));
  EXPECT_THROW(lines(1000), Error);
}

TEST_F(LineReaderTest, WhatIsAppendedLaterIsNotSeen) {
  write("one\n");
  LineReader reader(file_);
  std::ofstream(file_, std::ios::app) << "two\n";
  EXPECT_EQ(reader.next(), "one");
  EXPECT_EQ(reader.next(), std::nullopt);
}

TEST_F(LineReaderTest, RefusesWhatIsNoFile) {
  EXPECT_THROW(LineReader{file_}, Error);
  EXPECT_THROW(LineReader{std::filesystem::temp_directory_path()}, Error);
}

}  // namespace
}  // namespace chainrule::io::files
