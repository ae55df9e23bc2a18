// Damage anywhere in a shard: verifying finds it, and reading without verifying gives data or an error, and ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/tokens/data_set.h"
#include "io/tokens/shard_reader.h"
#include "tests/support/made_data_set.h"

namespace chainrule::io::tokens {
namespace {

namespace fs = std::filesystem;

class DamagedShardTest : public ::testing::Test {
 protected:
  DamagedShardTest() : folder_(fs::path(::testing::TempDir()) / ("damaged-" + std::to_string(::getpid()))) {
    tests::MadeDataSet set;
    for (int shard = 0; shard < 2; ++shard) {
      auto& documents = set.shards.emplace_back();
      for (std::uint32_t i = 0; i < 200; ++i) documents.push_back({.tokens = {i % 99, 2, 3}, .bytes = i, .line = i});
    }
    tests::write_data_set(folder_, set);
    path_ = folder_ / "shard-00001.h5";
    whole_ = files::read_file(path_);
  }
  ~DamagedShardTest() override { fs::remove_all(folder_); }

  void write(const std::string& content) const {
    // In place: the file is not made anew for each of many damages.
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    if (fs::file_size(path_) != content.size()) fs::resize_file(path_, content.size());
  }

  /// Reads what there is, as far as errors let it.
  void read_all() const {
    try {
      const ShardReader reader(path_);
      std::vector<std::uint32_t> tokens(std::min<std::uint64_t>(reader.token_count(), 10'000));
      for (const auto& work : std::vector<std::function<void()>>{[&] { reader.read(0, tokens); },
                                                                 [&] { reader.documents(0, reader.document_count()); },
                                                                 [&] { reader.sources(0, reader.document_count()); }}) {
        try {
          work();
        } catch (const Error&) {  // an error will do
          ++errors_;
        }
      }
    } catch (const Error&) {
      ++errors_;
    }
  }

  fs::path folder_;
  fs::path path_;
  std::string whole_;
  mutable int errors_ = 0;
};

TEST_F(DamagedShardTest, EveryFlippedByteIsDetectedAndNoneCrashes) {
  const DataSet set = DataSet::open(folder_);
  set.verify_shard(1);
  constexpr std::size_t step = 89;
  int flips = 0;
  int noticed = 0;
  for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
    for (std::size_t at = flip % step; at < whole_.size(); at += step) {
      std::string altered = whole_;
      altered[at] = static_cast<char>(static_cast<unsigned char>(altered[at]) ^ flip);
      write(altered);
      EXPECT_THROW(set.verify_shard(1), Error) << "byte " << at;
      const int before = errors_;
      read_all();
      if (errors_ != before) ++noticed;
      ++flips;
    }
  }
  EXPECT_GT(flips, 500);
  EXPECT_GT(noticed, flips / 40);  // reading does meet the damage
}

TEST_F(DamagedShardTest, EveryTruncationIsRefusedWhenItIsOpened) {
  for (std::size_t length = 0; length < whole_.size(); length += 1 + whole_.size() / 150) {
    write(whole_.substr(0, length));
    try {
      DataSet::open(folder_);
      ADD_FAILURE() << "opened at length " << length;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data) << error.what();
      EXPECT_THAT(error.what(), ::testing::HasSubstr("shard-00001.h5"));
    }
    read_all();
  }
  EXPECT_GT(errors_, 100);
}

}  // namespace
}  // namespace chainrule::io::tokens
