// Files that appear whole or not at all, and never where somebody else points.
#include "io/files/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "io/error.h"
#include "io/files/atomic_output.h"
#include "io/files/digest.h"
#include "io/files/file_end.h"
#include "io/files/presence.h"

namespace chainrule::io::files {
namespace {

class AtomicFileTest : public testing::Test {
 protected:
  AtomicFileTest() { std::filesystem::create_directories(folder_); }
  ~AtomicFileTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("chainrule-atomic-" + std::to_string(::getpid()));
  std::filesystem::path beside_ = folder_ / ("out.partial-" + std::to_string(::getpid()));
};

TEST_F(AtomicFileTest, FollowsNoLinkThatLiesWhereItWrites) {
  std::ofstream(folder_ / "victim") << "precious";
  std::filesystem::create_symlink(folder_ / "victim", beside_);
  write_file_atomically(folder_ / "out", "new");
  EXPECT_EQ(read_file(folder_ / "victim"), "precious");
  EXPECT_EQ(read_file(folder_ / "out"), "new");
  EXPECT_NE(presence_of_itself(folder_ / "out"), Presence::other);

  AtomicOutput output(folder_ / "other");
  output.write("new");
  output.commit();
  EXPECT_EQ(read_file(folder_ / "other"), "new");
}

TEST_F(AtomicFileTest, LeavesWhatAKilledProcessLeftBehindAlone) {
  std::ofstream(beside_) << "of another";
  write_file_atomically(folder_ / "out", "new");
  EXPECT_EQ(read_file(beside_), "of another");
  EXPECT_EQ(list_folder(folder_).size(), 2U);
}

TEST_F(AtomicFileTest, AnOutputMakesTheFoldersItGoesInto) {
  AtomicOutput output(folder_ / "a" / "b" / "out");
  output.write("text");
  output.commit();
  EXPECT_EQ(read_file(folder_ / "a" / "b" / "out"), "text");
  std::ofstream(folder_ / "file");
  EXPECT_THROW(make_place_for(folder_ / "file" / "out"), Error);
}

TEST_F(AtomicFileTest, ACompleteOutputIsKeptAndNamedWhereItCannotTakeItsPlace) {
  AtomicOutput output(folder_ / "out");
  output.write("hours of work");
  std::ofstream(folder_ / "out") << "somebody else's";
  try {
    output.commit();
    FAIL() << "what was there is replaced";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::cannot_create);
    EXPECT_THAT(error.what(), testing::HasSubstr("it is complete in '" + beside_.string() + "'"));
  }
  EXPECT_EQ(read_file(beside_), "hours of work");
  EXPECT_EQ(read_file(folder_ / "out"), "somebody else's");
}

TEST_F(AtomicFileTest, OnlyWhatMayBeAPipeIsWaitedFor) {
  const std::filesystem::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0666), 0);
  for (const std::filesystem::path& path : {pipe, folder_}) {
    EXPECT_THAT([&] { read_file(path); }, testing::ThrowsMessage<Error>(testing::HasSubstr("not a regular file")));
    EXPECT_THAT([&] { file_digest(path); }, testing::ThrowsMessage<Error>(testing::HasSubstr("not a regular file")));
    EXPECT_THAT([&] { read_end(path, 9); }, testing::ThrowsMessage<Error>(testing::HasSubstr("not a regular file")));
  }
  std::jthread writer([&] { std::ofstream(pipe) << "from a pipe"; });
  EXPECT_EQ(read_file_or_pipe(pipe), "from a pipe");
}

TEST_F(AtomicFileTest, AnOutputThatIsNotFinishedLeavesNothing) {
  { AtomicOutput(folder_ / "out").write("half"); }
  EXPECT_TRUE(list_folder(folder_).empty());
}

}  // namespace
}  // namespace chainrule::io::files
