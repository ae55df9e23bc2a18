// What is there, what is not, and what cannot be seen.
#include "io/files/presence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "io/error.h"

namespace chainrule::io::files {
namespace {

class PresenceTest : public testing::Test {
 protected:
  PresenceTest() { std::filesystem::create_directories(folder_); }
  ~PresenceTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("chainrule-presence-" + std::to_string(::getpid()));
};

TEST_F(PresenceTest, TellsFilesFoldersAndWhatIsAbsent) {
  std::ofstream(folder_ / "file");
  EXPECT_EQ(presence_of(folder_), Presence::folder);
  EXPECT_EQ(presence_of(folder_ / "file"), Presence::file);
  EXPECT_EQ(presence_of(folder_ / "none"), Presence::absent);
  EXPECT_EQ(presence_of(folder_ / "file" / "below"), Presence::absent);
  EXPECT_EQ(presence_of("/dev/null"), Presence::other);
}

TEST_F(PresenceTest, FollowsLinksAndTakesOneToNothingForNoAbsence) {
  std::filesystem::create_symlink(folder_, folder_ / "link");
  std::filesystem::create_symlink(folder_ / "nothing", folder_ / "dangling");
  EXPECT_EQ(presence_of(folder_ / "link"), Presence::folder);
  EXPECT_EQ(presence_of_itself(folder_ / "link"), Presence::other);
  EXPECT_EQ(presence_of_itself(folder_ / "dangling"), Presence::other);
  EXPECT_THROW(presence_of(folder_ / "dangling"), Error);
  EXPECT_THROW(list_folder(folder_ / "dangling"), Error);
}

TEST_F(PresenceTest, DoesNotTakeForAbsentWhatCannotBeSeen) {
  const std::filesystem::path endless = folder_ / std::string(4096, 'x');  // ENAMETOOLONG
  EXPECT_THROW(presence_of(endless), Error);
  std::filesystem::create_symlink("loop", folder_ / "loop");  // ELOOP
  EXPECT_THROW(presence_of(folder_ / "loop"), Error);
}

TEST_F(PresenceTest, ListsAFolderInByteOrder) {
  for (const char* name : {"b", "a", "C"}) std::ofstream(folder_ / name);
  EXPECT_THAT(list_folder(folder_), testing::ElementsAre(folder_ / "C", folder_ / "a", folder_ / "b"));
  EXPECT_TRUE(list_folder(folder_ / "none").empty());
  EXPECT_THROW(list_folder(folder_ / "a"), Error);
}

}  // namespace
}  // namespace chainrule::io::files
