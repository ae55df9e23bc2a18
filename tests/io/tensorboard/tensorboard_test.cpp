#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/error.h"
#include "io/tensorboard/event.h"
#include "io/tensorboard/event_file.h"
#include "io/tensorboard/record.h"

namespace chainrule::io::tensorboard {
namespace {

std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U; }

TEST(Record, TheChecksumIsCastagnolis) {
  // RFC 3720, B.4, and the check value of the algorithm's catalogues.
  EXPECT_EQ(masked_crc32c("123456789"), masked(0xE3069283U));
  EXPECT_EQ(masked_crc32c(std::string(32, '\0')), masked(0x8A9136AAU));
  EXPECT_EQ(masked_crc32c(std::string(32, '\xFF')), masked(0x62A8AB43U));
}

TEST(Record, HasLengthAndChecksumsAround) {
  const std::string record = framed("abc");
  EXPECT_EQ(record.size(), 8U + 4U + 3U + 4U);
  EXPECT_EQ(record.substr(0, 8), std::string("\x03\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, 3), "abc");
}

TEST(Event, IsWhatProtobufWrites) {
  EXPECT_EQ(version_event(1), std::string("\x09\0\0\0\0\0\0\xF0\x3F\x1A\x0D"
                                          "brain.Event:2",
                                          24));
  EXPECT_EQ(start_event(1, 300), std::string("\x09\0\0\0\0\0\0\xF0\x3F\x10\xAC\x02\x3A\x02\x08\x01", 16));
  EXPECT_EQ(scalars_event(1, 2, {{"loss", 1}}),
            std::string("\x09\0\0\0\0\0\0\xF0\x3F\x10\x02\x2A\x0D\x0A\x0B\x0A\x04loss\x15\0\0\x80\x3F", 26));
}

class EventFileTest : public testing::Test {
 protected:
  ~EventFileTest() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("chainrule-events-" + std::to_string(::getpid()));
};

TEST_F(EventFileTest, EachSortsBehindThoseThatAreThere) {
  std::string before;
  for (int file = 0; file < 3; ++file) {
    const EventFile events(folder_, 1);
    const std::vector<std::string> all = names();
    ASSERT_EQ(all.size(), static_cast<std::size_t>(file + 1));
    EXPECT_GT(all.back(), before);
    before = all.back();
  }
  std::ofstream(folder_ / "events.out.tfevents.9999999998.other.1");
  const EventFile events(folder_, 1);
  EXPECT_THAT(names().back(), testing::StartsWith("events.out.tfevents.9999999999."));
}

TEST_F(EventFileTest, SaysWhereAnEventDidNotFit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THAT([&] { EventFile(folder_, 1); }, testing::ThrowsMessage<Error>(testing::HasSubstr(": 10 of ")));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
}

TEST_F(EventFileTest, RefusesAFolderThatCannotBeMade) {
  std::ofstream(folder_.string()) << "a file";
  EXPECT_THROW(EventFile(folder_, 1), Error);
}

}  // namespace
}  // namespace chainrule::io::tensorboard
