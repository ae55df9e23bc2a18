// Every input that is kept, among them all that a fuzzer once found something with, is read or refused as it must be.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "io/files/atomic_file.h"
#include "tests/fuzz/target.h"

namespace chainrule::fuzz {
namespace {

namespace fs = std::filesystem;

TEST(FuzzCorpus, EveryInputIsReadOrRefused) {
  for (const Target& target : targets()) {
    std::size_t inputs = 0;
    std::vector<std::string> refusals;
    for (const auto& input : fs::directory_iterator(fs::path(CHAINRULE_FUZZ_CORPUS) / target.name)) {
      SCOPED_TRACE(input.path());
      ++inputs;
      EXPECT_NO_THROW({
        if (const auto refusal = run_target(target, io::files::read_file(input.path()))) refusals.push_back(*refusal);
      });
    }
    // A fuzzer that begins from what is refused hardly gets behind the refusal.
    EXPECT_LT(refusals.size(), inputs) << target.name << " " << testing::PrintToString(refusals);
  }
}

TEST(FuzzCorpus, EveryFolderHasATarget) {
  std::size_t folders = 0;
  for (const auto& folder : fs::directory_iterator(CHAINRULE_FUZZ_CORPUS)) {
    const std::string name = folder.path().filename();
    EXPECT_TRUE(std::any_of(targets().begin(), targets().end(), [&](const Target& each) { return each.name == name; }))
        << name;
    ++folders;
  }
  EXPECT_EQ(folders, targets().size());
}

}  // namespace
}  // namespace chainrule::fuzz
