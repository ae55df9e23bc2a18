#include "pipeline/comm/temporary_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace chainrule::pipeline::comm {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> named() {
  const char* value = std::getenv("TMPDIR");
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

class TemporaryFolderTest : public testing::Test {
 protected:
  TemporaryFolderTest() : before_(named()) { fs::create_directory(base_); }
  ~TemporaryFolderTest() override {
    fs::remove_all(base_);
    if (before_) setenv("TMPDIR", before_->c_str(), 1);
    if (!before_) unsetenv("TMPDIR");
  }

  const fs::path base_ = fs::path(testing::TempDir()) / "temporary folders";
  std::optional<std::string> before_;
};

TEST_F(TemporaryFolderTest, IsItsOwnAndLeavesNothing) {
  setenv("TMPDIR", base_.c_str(), 1);
  {
    const TemporaryFolder first;
    const std::string folder = named().value();
    EXPECT_EQ(fs::path(folder).parent_path(), base_);
    EXPECT_TRUE(fs::is_directory(folder));
    const TemporaryFolder second;
    EXPECT_NE(named(), folder);
    std::ofstream(fs::path(folder) / "left") << "something";
  }
  EXPECT_EQ(named(), base_.string());
  EXPECT_TRUE(fs::is_empty(base_));
  unsetenv("TMPDIR");
  { const TemporaryFolder one; }
  EXPECT_EQ(named(), std::nullopt);
}

TEST_F(TemporaryFolderTest, ChangesNothingWhereNoneCanBeMade) {
  const std::string nowhere = base_ / "not there";
  setenv("TMPDIR", nowhere.c_str(), 1);
  const TemporaryFolder none;
  EXPECT_EQ(named(), nowhere);
}

}  // namespace
}  // namespace chainrule::pipeline::comm
