// Results of units in a file that a killed process leaves behind.
#include "pipeline/evaluate/journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <stdexcept>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/temporary_folder.h"

namespace chainrule::pipeline::evaluate::journal {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const JournalHeader kHeader = {"model m on data d", R"({"data": "d"})"};

UnitResult unit_of(std::uint64_t unit, std::size_t tokens) {
  UnitResult result;
  result.unit = unit;
  result.resize(tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    const auto number = static_cast<float>(i + unit);
    result.nll[i] = i == 1 ? INFINITY : 0.1 * static_cast<double>(number);
    result.entropy[i] = number / 3;
    result.top_probability[i] = 1 / (number + 1);
    result.rank[i] = static_cast<std::uint32_t>(i * 7);
  }
  return result;
}

class JournalTest : public testing::Test {
 protected:
  void write(const std::vector<std::uint64_t>& units) const {
    Journal journal = Journal::open(path_, kHeader);
    for (const std::uint64_t unit : units) journal.append(to_record(unit_of(unit, unit % 4)));
  }

  std::string error_of(io::ErrorKind kind, const std::function<void()>& work) const {
    try {
      work();
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    return "";
  }

  io::files::TemporaryFolder folder_;
  fs::path path_ = folder_.path() / "the folder" / "report.journal";
};

// What a full disk or a kill leaves of the first bytes.
TEST_F(JournalTest, ABeginningThatWasNotWrittenWholeIsWrittenAnew) {
  write({});
  const std::string whole = io::files::read_file(path_);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
    fs::resize_file(path_, bytes);
    write({});
    EXPECT_EQ(io::files::read_file(path_), whole) << bytes;
  }
  std::string other = whole.substr(0, whole.size() / 2);
  other.back() ^= 1;
  io::files::write_file_atomically(path_, other);
  EXPECT_THAT(error_of(io::ErrorKind::bad_data, [&] { write({}); }), HasSubstr("its beginning is damaged"));
  EXPECT_EQ(io::files::read_file(path_), other);
}

TEST_F(JournalTest, ABaselineHasColumnsOfItsOwn) {
  UnitResult result = unit_of(7, 3);
  const std::size_t alone = to_record(result).size();
  result.has_baseline = true;
  result.kl = {0.25, INFINITY, 1e-9};
  result.baseline_nll = {3, 2, 1};
  result.same_top = {1, 0, 1};
  EXPECT_EQ(to_record(result).size(), alone + 3 * 17);
  {
    Journal journal = Journal::open(path_, kHeader);
    journal.append(to_record(result));
    journal.append(to_record(unit_of(8, 2)));
  }
  const Journal journal = Journal::read(path_);
  EXPECT_EQ(journal.tokens(), 5U);
  EXPECT_EQ(journal.result(7), result);
  EXPECT_EQ(journal.result(8), unit_of(8, 2));
  std::vector<std::byte> record = to_record(result);
  record[15] ^= std::byte{0x80};  // says that it has none
  EXPECT_FALSE(read_record(record, result));
}

TEST_F(JournalTest, GivesBackWhatWasAppended) {
  write({5, 1, 2});
  write({3, 9});
  for (const Journal& journal : {Journal::open(path_, kHeader), Journal::read(path_)}) {
    EXPECT_EQ(journal.header().identity, kHeader.identity);
    EXPECT_EQ(journal.header().about, kHeader.about);
    EXPECT_EQ(journal.units(), 5U);
    EXPECT_EQ(journal.tokens(), 1U + 1 + 2 + 3 + 1);
    for (const std::uint64_t unit : {1, 2, 3, 5, 9}) {
      EXPECT_TRUE(journal.has(unit));
      EXPECT_EQ(journal.result(unit), unit_of(unit, unit % 4));
    }
    EXPECT_FALSE(journal.has(4));
    EXPECT_THAT(error_of(io::ErrorKind::bad_data, [&] { journal.result(4); }), HasSubstr("has no work unit 4"));
    const std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges = {{1, 4}, {5, 6}, {9, 10}};
    EXPECT_EQ(journal.ranges(), ranges);
  }
}

TEST_F(JournalTest, AUnitIsKeptOnce) {
  Journal journal = Journal::open(path_, kHeader);
  journal.append(to_record(unit_of(7, 2)));
  EXPECT_THROW(journal.append(to_record(unit_of(7, 2))), std::logic_error);
}

TEST_F(JournalTest, IsCutAnywhereAndGoneOnWith) {
  write({0});
  const std::string begin = io::files::read_file(path_);
  write({2, 3});
  const std::string whole = io::files::read_file(path_);
  for (std::size_t size = begin.size(); size < whole.size(); ++size) {
    std::ofstream(path_, std::ios::binary) << whole.substr(0, size);
    if (size != begin.size() && size != begin.size() + record_bytes(2, false)) {
      EXPECT_THAT(error_of(io::ErrorKind::bad_data, [&] { Journal::read(path_); }), HasSubstr("no whole record"));
    }
    const bool has_second = size >= begin.size() + record_bytes(2, false);
    {
      Journal journal = Journal::open(path_, kHeader);
      ASSERT_EQ(journal.units(), has_second ? 2U : 1U) << size;
      if (!has_second) journal.append(to_record(unit_of(2, 2)));
      journal.append(to_record(unit_of(3, 3)));
    }
    ASSERT_EQ(io::files::read_file(path_), whole) << size;
  }
}

TEST_F(JournalTest, AnyChangedByteIsNoticed) {
  write({0, 1, 2, 3});
  const std::string whole = io::files::read_file(path_);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    std::ofstream(path_, std::ios::binary) << changed;
    EXPECT_NE(error_of(io::ErrorKind::bad_data, [&] { Journal::read(path_); }), "") << at;
  }
}

TEST_F(JournalTest, AnothersFileIsLeftAsItIs) {
  fs::create_directories(path_.parent_path());
  std::ofstream(path_) << "precious";
  EXPECT_THAT(error_of(io::ErrorKind::bad_data, [&] { Journal::open(path_, kHeader); }),
              HasSubstr("is no journal of an evaluation"));
  EXPECT_EQ(io::files::read_file(path_), "precious");
  fs::remove(path_);
  write({1});
  const std::string before = io::files::read_file(path_);
  EXPECT_THAT(error_of(io::ErrorKind::cannot_create,
                       [&] {
                         Journal::open(path_, {"model n on data d", ""});
                       }),
              HasSubstr("another evaluation ('model m on data d'), not of this one ('model n on data d')"));
  EXPECT_EQ(io::files::read_file(path_), before);
}

TEST_F(JournalTest, OneProcessHasIt) {
  const Journal journal = Journal::open(path_, kHeader);
  EXPECT_THAT(error_of(io::ErrorKind::cannot_create, [&] { Journal::open(path_, kHeader); }),
              HasSubstr("is in use by another process"));
}

TEST_F(JournalTest, NothingToReadIsSaid) {
  EXPECT_THAT(error_of(io::ErrorKind::missing_input, [&] { Journal::read(path_); }), HasSubstr(path_.string()));
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::journal
