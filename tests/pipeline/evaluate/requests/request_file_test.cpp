// A file of requests is cut into units that share what their lines begin with, and hold neither too much nor too
// little.
#include "pipeline/evaluate/requests/request_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/error.h"
#include "io/files/temporary_folder.h"

namespace chainrule::tests {
namespace {

namespace requests = pipeline::evaluate::requests;

class RequestFileTest : public testing::Test {
 protected:
  requests::RequestFile written(const std::string& text) const {
    std::ofstream(folder_ / "r.jsonl", std::ios::binary) << text;
    return requests::RequestFile(folder_ / "r.jsonl");
  }
  static std::string line(const std::string& context, const std::string& continuation) {
    return "{\"context\": \"" + context + "\", \"continuation\": \"" + continuation + "\"}\n";
  }
  /// Requests of each unit.
  static std::vector<std::uint64_t> units(const requests::RequestFile& file) {
    std::vector<std::uint64_t> counts;
    for (std::uint64_t unit = 0; unit < file.units(); ++unit) {
      counts.push_back(0);
      file.visit(unit, [&](const requests::Request&, const std::string&) { ++counts.back(); });
      EXPECT_EQ(counts.back(), file.requests_of(unit));
    }
    return counts;
  }

  io::files::TemporaryFolder temporary_;
  const std::filesystem::path& folder_ = temporary_.path();
};

TEST_F(RequestFileTest, LinesAreCountedAndNamed) {
  const requests::RequestFile file = written("\n" + line("a", "b") + " \t\r\n" + line("c", "d") + "\n");
  EXPECT_EQ(file.requests(), 2u);
  std::vector<std::string> names;
  file.visit(0,
             [&](const requests::Request&, const std::string& name) { names.push_back(name.substr(name.rfind(','))); });
  EXPECT_EQ(names, (std::vector<std::string>{", line 2", ", line 4"}));
  EXPECT_THROW(written(""), io::Error);
  EXPECT_THROW(written("\n \n\t"), io::Error);
}

TEST_F(RequestFileTest, AUnitHoldsSoManyLines) {
  std::string text;
  for (int i = 0; i < 600; ++i) text += line("a", "b");
  EXPECT_EQ(units(written(text)), (std::vector<std::uint64_t>{256, 256, 88}));
}

TEST_F(RequestFileTest, OnlyWhatALineAddsFillsAUnit) {
  std::string alike;
  std::string different;
  for (int i = 0; i < 64; ++i) {
    alike += line(std::string(10'000, 'a'), std::to_string(i));
    different += line(std::to_string(i) + std::string(9'990, 'a'), "b");
  }
  EXPECT_EQ(units(written(alike)), (std::vector<std::uint64_t>{64}));
  for (const std::uint64_t count : units(written(different))) EXPECT_LE(count, 7u);
}

TEST_F(RequestFileTest, LinesThatShareEverythingAreBoundedToo) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += line(std::string(1'000'000, 'a'), "b");
  EXPECT_EQ(units(written(text)), (std::vector<std::uint64_t>{4, 4, 4, 4, 4}));
}

}  // namespace
}  // namespace chainrule::tests
