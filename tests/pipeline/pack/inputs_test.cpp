#include "pipeline/pack/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace chainrule::pipeline::pack {
namespace {

namespace fs = std::filesystem;

TEST(PackInputs, ADocumentBelongsToTheDomainByWhichItIsFoundThoughALinkLeadsElsewhere) {
  const fs::path folder = fs::path(::testing::TempDir()) / ("pack-inputs-" + std::to_string(::getpid()));
  const auto write = [&](const std::string& name) {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << name;
  };
  write("cache/blobs/1");
  write("cache/refs/main");
  write("cache/snapshots/x/readme.txt");
  fs::create_symlink("../../blobs/1", folder / "cache/snapshots/x/wiki.txt");
  write("other/a.txt");
  PackOptions options;
  options.domains = {{"wiki", (folder / "cache/snapshots/x").string()}, {"rest", (folder / "other").string()}};
  const PackInputs inputs = find_inputs(options);
  ASSERT_EQ(inputs.files.size(), 3U);
  EXPECT_EQ(inputs.domains, (std::vector<std::string>{"wiki", "rest"}));
  EXPECT_EQ(inputs.domain, (std::vector<std::uint16_t>{0, 0, 1}));
  const PackInputs told = PackInputs::from_message(inputs.to_message());
  ASSERT_EQ(told.files.size(), 3U);
  EXPECT_EQ(told.files[1].name, inputs.files[1].name);
  EXPECT_EQ(told.files[1].bytes, inputs.files[1].bytes);
  EXPECT_EQ(told.domain, inputs.domain);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace chainrule::pipeline::pack
