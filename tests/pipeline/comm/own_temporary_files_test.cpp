#include "pipeline/comm/own_temporary_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "io/files/temporary_folder.h"

namespace chainrule::pipeline::comm {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> named() {
  const char* value = std::getenv("TMPDIR");
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

class OwnTemporaryFilesTest : public testing::Test {
 protected:
  OwnTemporaryFilesTest() : before_(named()) {}
  ~OwnTemporaryFilesTest() override {
    if (before_) setenv("TMPDIR", before_->c_str(), 1);
    if (!before_) unsetenv("TMPDIR");
  }

  io::files::TemporaryFolder temporary_;
  const fs::path& base_ = temporary_.path();
  std::optional<std::string> before_;
};

TEST_F(OwnTemporaryFilesTest, IsItsOwnAndLeavesNothing) {
  setenv("TMPDIR", base_.c_str(), 1);
  {
    const OwnTemporaryFiles first;
    const std::string folder = named().value();
    EXPECT_EQ(fs::path(folder).parent_path(), base_);
    EXPECT_TRUE(fs::is_directory(folder));
    const OwnTemporaryFiles second;
    EXPECT_NE(named(), folder);
    std::ofstream(fs::path(folder) / "left") << "something";
  }
  EXPECT_EQ(named(), base_.string());
  EXPECT_TRUE(fs::is_empty(base_));
  unsetenv("TMPDIR");
  { const OwnTemporaryFiles one; }
  EXPECT_EQ(named(), std::nullopt);
}

TEST_F(OwnTemporaryFilesTest, ChangesNothingWhereNoneCanBeMade) {
  const std::string nowhere = base_ / "not there";
  setenv("TMPDIR", nowhere.c_str(), 1);
  const OwnTemporaryFiles none;
  EXPECT_EQ(named(), nowhere);
}

}  // namespace
}  // namespace chainrule::pipeline::comm
