#include "pipeline/windows/batch_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "io/error.h"
#include "io/tokens/memory_stream.h"
#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::windows {
namespace {

using ::testing::ElementsAre;

constexpr std::uint32_t kStart = 98;
constexpr std::uint32_t kEnd = 99;
constexpr std::uint32_t kNot = model::ops::kNotScored;

/// The stream 0 1 2 E E 5 6 E, whose start token is not its end-of-text.
class BatchBufferTest : public testing::Test {
 protected:
  BatchBufferTest() : stream_({100, kEnd, kStart}) {
    for (const std::vector<std::uint32_t>& tokens : {std::vector<std::uint32_t>{0, 1, 2}, {}, {5, 6}}) {
      stream_.append(tokens);
    }
  }

  io::tokens::MemoryStream stream_;
  BatchBuffer buffer_;
};

TEST_F(BatchBufferTest, LaysWindowsSideBySideAndPadsTheRest) {
  buffer_.begin(9, kStart);
  EXPECT_EQ(buffer_.add(stream_, {.first_target = 1, .rows = 3, .scored = 2}), 0U);
  EXPECT_EQ(buffer_.add(stream_, {.first_target = 5, .rows = 2, .scored = 2}), kEnd);
  const model::ops::Batch batch = buffer_.batch();
  EXPECT_THAT(batch.inputs, ElementsAre(0, 1, 2, kEnd, 5, kStart, kStart, kStart, kStart));
  EXPECT_THAT(batch.targets, ElementsAre(kNot, 2, kEnd, 5, 6, kNot, kNot, kNot, kNot));
  ASSERT_EQ(batch.sequences.size(), 2U);
  EXPECT_EQ(batch.sequences[0].rows, 3);
  EXPECT_EQ(batch.sequences[1].first_row, 3);
  EXPECT_EQ(batch.sequences[1].rows, 2);
}

TEST_F(BatchBufferTest, SequencesOfOneLengthHoldShorterWindowsAndNone) {
  buffer_.begin(8, kStart);
  buffer_.add(stream_, {.first_target = 6, .rows = 2, .scored = 2}, 4);
  buffer_.add_padding(4);
  const model::ops::Batch batch = buffer_.batch();
  EXPECT_THAT(batch.inputs, ElementsAre(5, 6, kStart, kStart, kStart, kStart, kStart, kStart));
  EXPECT_THAT(batch.targets, ElementsAre(6, kEnd, kNot, kNot, kNot, kNot, kNot, kNot));
  ASSERT_EQ(batch.sequences.size(), 2U);
  EXPECT_EQ(batch.sequences[0].rows, 4);
  EXPECT_EQ(batch.sequences[1].first_row, 4);
  EXPECT_EQ(batch.sequences[1].rows, 4);
}

TEST_F(BatchBufferTest, TheStartTokenStandsBeforeTheStreamAndWhereAWindowAsksForIt) {
  buffer_.begin(5, kStart);
  EXPECT_EQ(buffer_.add(stream_, {.first_target = 0, .rows = 2, .scored = 2, .after_start = true}), kStart);
  EXPECT_EQ(buffer_.add(stream_, {.first_target = 5, .rows = 2, .scored = 2, .after_start = true}), kEnd)
      << "what stands before, not what is read";
  EXPECT_THAT(buffer_.batch().inputs, ElementsAre(kStart, 0, kStart, 5, kStart));
  EXPECT_THAT(buffer_.batch().targets, ElementsAre(0, 1, 5, 6, kNot));
}

TEST_F(BatchBufferTest, ProtocolDocumentReadsEachDocumentBehindTheStartTokenAndPackedTheStream) {
  const auto documents = stream_.documents();
  const auto inputs_of = [&](const protocol::Protocol* protocol) {
    std::vector<std::uint32_t> inputs;
    const auto cursor = protocol::make_cursor({protocol, 2, 2}, documents);
    for (Window window; cursor->next(window);) {
      buffer_.begin(window.rows, kStart);
      buffer_.add(stream_, window);
      inputs.insert(inputs.end(), buffer_.batch().inputs.begin(), buffer_.batch().inputs.end());
    }
    return inputs;
  };
  EXPECT_THAT(inputs_of(&protocol::kDocument), ElementsAre(kStart, 0, 0, 1, kStart, 5));
  EXPECT_THAT(inputs_of(&protocol::kPacked), ElementsAre(kStart, 0, 1, 2, kEnd, kEnd, 5, 6));
}

TEST_F(BatchBufferTest, IsEmptiedByBegin) {
  buffer_.begin(4, kStart);
  buffer_.add(stream_, {.first_target = 1, .rows = 4, .scored = 4});
  buffer_.begin(3, kStart);
  EXPECT_THAT(buffer_.batch().inputs, ElementsAre(kStart, kStart, kStart));
  EXPECT_THAT(buffer_.batch().targets, ElementsAre(kNot, kNot, kNot));
  EXPECT_TRUE(buffer_.batch().sequences.empty());
}

TEST_F(BatchBufferTest, RefusesWhatDoesNotFitAndWhatIsNotInTheStream) {
  buffer_.begin(4, kStart);
  buffer_.add(stream_, {.first_target = 1, .rows = 2, .scored = 2});
  EXPECT_THROW(buffer_.add(stream_, {.first_target = 3, .rows = 3, .scored = 3}), std::length_error);
  buffer_.begin(4, kStart);
  EXPECT_THROW(buffer_.add(stream_, {.first_target = 6, .rows = 3, .scored = 3}), io::Error);
}

}  // namespace
}  // namespace chainrule::pipeline::windows
