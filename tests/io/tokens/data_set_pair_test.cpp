#include "io/tokens/data_set_pair.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "io/error.h"
#include "io/tokens/data_set.h"
#include "tests/support/made_data_set.h"

namespace chainrule::io::tokens {
namespace {

namespace fs = std::filesystem;

class DataSetPairTest : public ::testing::Test {
 protected:
  DataSetPairTest() : folder_(fs::path(::testing::TempDir()) / ("pair-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
  }
  ~DataSetPairTest() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(DataSetPairTest, IsWhatIsThereOfTheTwo) {
  EXPECT_FALSE(find_pair(folder_).train || find_pair(folder_).held_out);
  tests::write_data_set(folder_ / "held-out", {.shards = {{{.tokens = {4}}}}});
  EXPECT_EQ(find_pair(folder_).held_out, folder_ / "held-out");
  EXPECT_FALSE(find_pair(folder_).whole());
  tests::write_data_set(folder_ / "train", {.shards = {{{.tokens = {1, 2}}}}});
  const DataSetPair pair = find_pair(folder_);
  ASSERT_TRUE(pair.whole());
  EXPECT_EQ(DataSet::open(*pair.train).token_count(), 3U);
  EXPECT_EQ(DataSet::open(*pair.held_out).token_count(), 2U);
}

TEST_F(DataSetPairTest, ADataSetIsNoPairWhateverLiesInIt) {
  tests::write_data_set(folder_, {.shards = {{{.tokens = {7}}}}});
  tests::write_data_set(folder_ / "train", {});
  tests::write_data_set(folder_ / "held-out", {});
  EXPECT_FALSE(find_pair(folder_).train || find_pair(folder_).held_out);
  EXPECT_EQ(DataSet::open(folder_).token_count(), 2U);
}

TEST_F(DataSetPairTest, WhereOneIsAskedForBothAreNamed) {
  tests::write_data_set(folder_ / "train", {});
  tests::write_data_set(folder_ / "held-out", {});
  try {
    DataSet::open(folder_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing_input);
    EXPECT_EQ(error.what(), name_one_of_pair(folder_));
    EXPECT_NE(std::string(error.what()).find((folder_ / "held-out").string()), std::string::npos);
  }
}

TEST_F(DataSetPairTest, ShardsAreVerifiedByTurns) {
  tests::write_data_set(folder_, {.shards = {{{.tokens = {1}}}, {{.tokens = {2}}}, {{.tokens = {3}}}}});
  const DataSet stream = DataSet::open(folder_);
  fs::permissions(folder_ / "shard-00001.h5", fs::perms::owner_all);
  fs::resize_file(folder_ / "shard-00001.h5", 100);
  verify_shards(stream, 0, 2);
  verify_shards(stream, 2, 3);
  EXPECT_THROW(verify_shards(stream, 1, 2), Error);
  EXPECT_THROW(verify_shards(stream, 0, 1), Error);
}

}  // namespace
}  // namespace chainrule::io::tokens
