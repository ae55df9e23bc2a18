#include "pipeline/windows/work_units.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace chainrule::pipeline::windows {
namespace {

std::vector<io::tokens::DocumentRecord> random_documents(std::uint64_t seed, std::size_t count, std::uint64_t longest) {
  std::mt19937_64 random(seed);
  std::vector<io::tokens::DocumentRecord> documents;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t tokens = 1 + random() % longest;
    documents.push_back({first, tokens, 0, 0, 0});
    first += tokens;
  }
  return documents;
}

std::vector<WorkUnit> units_of(const WorkUnitOptions& options, const io::tokens::DocumentTable& documents) {
  WorkUnitCursor cursor(options, documents);
  std::vector<WorkUnit> units;
  for (WorkUnit unit; cursor.next(unit);) units.push_back(unit);
  return units;
}

TEST(WorkUnits, HoldEveryWindowOnceInOrderWithinCapacity) {
  const auto documents = random_documents(3, 60, 90);
  const std::uint64_t all = documents.back().first_token + documents.back().tokens;
  for (const protocol::Protocol* protocol : {&protocol::kDocument, &protocol::kPacked}) {
    for (const std::int64_t length : {1, 7, 32, 64, 100}) {
      for (const std::int64_t micro_batch : {1, 2, 5}) {
        const WorkUnitOptions options{{protocol, length, protocol == &protocol::kPacked ? length : (length + 1) / 2},
                                      micro_batch};
        const auto windows = protocol::make_cursor(options.windows, documents);
        Window expected;
        std::uint64_t index = 0;
        std::uint64_t scored = 0;
        for (const auto& unit : units_of(options, documents)) {
          EXPECT_EQ(unit.index, index++);
          std::int64_t rows = 0;
          std::int64_t unit_scored = 0;
          for (const auto& window : unit.windows) {
            ASSERT_TRUE(windows->next(expected));
            EXPECT_EQ(window.first_target, expected.first_target);
            EXPECT_EQ(window.rows, expected.rows);
            EXPECT_EQ(window.scored, expected.scored);
            EXPECT_EQ(window.document, expected.document);
            rows += window.rows;
            unit_scored += window.scored;
          }
          EXPECT_EQ(unit.window_rows, rows);
          EXPECT_EQ(unit.scored, unit_scored);
          EXPECT_LE(rows, micro_batch * length);
          EXPECT_GE(unit.rows, rows);
          EXPECT_LT(unit.rows - rows, kUnitRowsMultiple);
          EXPECT_EQ(unit.rows % kUnitRowsMultiple, 0);
          EXPECT_LE(unit.rows, maximum_unit_rows(options));
          scored += static_cast<std::uint64_t>(unit.scored);
        }
        EXPECT_FALSE(windows->next(expected));
        EXPECT_EQ(scored, all - (protocol == &protocol::kDocument ? documents.size() : 0));
      }
    }
  }
}

TEST(WorkUnits, AreFilledBeforeTheNextBegins) {
  const WorkUnitOptions options{{&protocol::kDocument, 64, 32}, 4};
  const auto units = units_of(options, random_documents(5, 200, 60));
  ASSERT_GT(units.size(), 3U);
  for (std::size_t i = 0; i + 1 < units.size(); ++i) {
    EXPECT_GT(units[i].window_rows + units[i + 1].windows.front().rows, 4 * 64);
  }
}

TEST(WorkUnits, AreDealtInTurnToAnyNumberOfRanks) {
  for (const int ranks : {1, 2, 3, 4, 7, 100}) {
    std::vector<int> dealt(static_cast<std::size_t>(ranks));
    for (std::uint64_t unit = 0; unit < 50; ++unit) ++dealt.at(static_cast<std::size_t>(rank_of_unit(unit, ranks)));
    int total = 0;
    for (const int units : dealt) {
      EXPECT_LE(std::abs(units - 50 / ranks), 1);
      total += units;
    }
    EXPECT_EQ(total, 50);
  }
}

TEST(WorkUnits, NothingToScoreIsNoUnit) {
  EXPECT_TRUE(units_of({{&protocol::kDocument, 8, 4}, 2}, {}).empty());
  const std::vector<io::tokens::DocumentRecord> empty = {{0, 1, 0, 0, 0}, {1, 1, 0, 0, 0}};
  EXPECT_TRUE(units_of({{&protocol::kDocument, 8, 4}, 2}, empty).empty());
  EXPECT_EQ(units_of({{&protocol::kPacked, 8, 8}, 2}, empty).size(), 1U);
}

TEST(WorkUnits, DefaultMicroBatchGivesAboutAThousandRows) {
  EXPECT_EQ(default_micro_batch(1024), 1);
  EXPECT_EQ(default_micro_batch(4096), 1);
  EXPECT_EQ(default_micro_batch(256), 4);
  EXPECT_EQ(default_micro_batch(1000), 2);
  EXPECT_EQ(default_micro_batch(1), 1024);
}

}  // namespace
}  // namespace chainrule::pipeline::windows
