// A file is mapped as it is, and what is no regular file is refused; outputs are compared before they are put in place.
#include "io/files/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/verified_output.h"

namespace chainrule::io::files {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public testing::Test {
 protected:
  MappedFileTest() : folder_(fs::path(testing::TempDir()) / ("mapped-" + std::to_string(::getpid()))) {
    fs::create_directory(folder_);
  }
  ~MappedFileTest() override { fs::remove_all(folder_); }

  void expect_refused(const fs::path& path, const std::string& said) const {
    try {
      MappedFile file(path);
      ADD_FAILURE() << "mapped: " << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::missing_input);
      EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr(said), testing::HasSubstr(path.string())));
    }
  }

  fs::path folder_;
};

std::string content(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST_F(MappedFileTest, HoldsTheFilesBytesAlsoAfterAMoveAndAReplacement) {
  std::string bytes(10'000, 'x');
  bytes.append("end");
  write_file_atomically(folder_ / "a", bytes);
  MappedFile first(folder_ / "a");
  MappedFile file(std::move(first));
  write_file_atomically(folder_ / "a", "short");
  EXPECT_EQ(content(file), bytes);
  file = MappedFile(folder_ / "a");
  EXPECT_EQ(content(file), "short");
  EXPECT_EQ(file.path(), folder_ / "a");
}

TEST_F(MappedFileTest, AnEmptyFileHasNoBytes) {
  write_file_atomically(folder_ / "empty", "");
  EXPECT_TRUE(MappedFile(folder_ / "empty").bytes().empty());
}

TEST_F(MappedFileTest, WhatIsNoRegularFileIsRefused) {
  expect_refused(folder_, "not a regular file");
  expect_refused(folder_ / "none", "No such file");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0666), 0);
  expect_refused(folder_ / "pipe", "not a regular file");
}

TEST_F(MappedFileTest, AnOutputIsInItsPlaceOnlyWhenItReadsBack) {
  VerifiedOutput output(folder_ / "out");
  output.write("some ");
  output.write("bytes");
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  output.commit();
  EXPECT_EQ(read_file(folder_ / "out"), "some bytes");
}

TEST_F(MappedFileTest, AnOutputThatWasAlteredIsNotPutInItsPlace) {
  {
    VerifiedOutput output(folder_ / "out");
    output.write("some bytes");
    fs::resize_file(fs::directory_iterator(folder_)->path(), 100);
    try {
      output.commit();
      ADD_FAILURE() << "committed";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input_output);
      EXPECT_THAT(error.what(), testing::HasSubstr("does not read back"));
    }
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace chainrule::io::files
