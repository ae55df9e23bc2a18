#include "pipeline/windows/protocol/protocol.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule::pipeline::windows {
namespace {

using Documents = std::vector<io::tokens::DocumentRecord>;

/// Documents of these many tokens, to which their end-of-text is added.
Documents documents_of(const std::vector<std::uint64_t>& text_tokens) {
  Documents documents;
  std::uint64_t first = 0;
  for (const std::uint64_t tokens : text_tokens) {
    documents.push_back({first, tokens + 1, 0, 0, 0});
    first += tokens + 1;
  }
  return documents;
}

std::vector<Window> windows_of(const protocol::Protocol* protocol, std::int64_t length, std::int64_t stride,
                               const Documents& documents) {
  const auto cursor = protocol::make_cursor({protocol, length, stride}, documents);
  std::vector<Window> windows;
  for (Window window; cursor->next(window);) windows.push_back(window);
  return windows;
}

/// How often each stream token is scored.
std::vector<int> times_scored(const std::vector<Window>& windows, const Documents& documents) {
  std::vector<int> times(documents.empty() ? 0 : documents.back().first_token + documents.back().tokens);
  for (const auto& window : windows) {
    for (std::int64_t i = window.rows - window.scored; i < window.rows; ++i) {
      ++times.at(window.first_target + static_cast<std::uint64_t>(i));
    }
  }
  return times;
}

void expect_document_windows(std::int64_t length, std::int64_t stride, const Documents& documents) {
  SCOPED_TRACE(testing::Message() << "N " << length << " S " << stride);
  const auto windows = windows_of(&protocol::kDocument, length, stride, documents);
  const auto times = times_scored(windows, documents);
  for (const auto& document : documents) {
    const std::uint64_t end = document.first_token + document.tokens - 1;
    for (std::uint64_t i = document.first_token; i < end; ++i) ASSERT_EQ(times[i], 1) << "token " << i;
    ASSERT_EQ(times[end], 0) << "end-of-text " << end;
  }
  for (const auto& window : windows) {
    const auto& document = documents.at(window.document);
    ASSERT_GE(window.scored, 1);
    ASSERT_LE(window.scored, window.rows);
    ASSERT_GE(window.first_target, document.first_token);
    ASSERT_EQ(window.after_start, window.first_target == document.first_token);
    const std::uint64_t end = window.first_target + static_cast<std::uint64_t>(window.rows);
    ASSERT_LE(end, document.first_token + document.tokens - 1);
    // Full context: as many rows as the document's beginning or the context length leaves.
    ASSERT_EQ(static_cast<std::uint64_t>(window.rows),
              std::min<std::uint64_t>(static_cast<std::uint64_t>(length), end - document.first_token));
    if (window.first_target != document.first_token) {
      ASSERT_LE(window.scored, stride);
    }
  }
}

TEST(ScoringWindows, DocumentScoresEveryTextTokenOnceForSmallCases) {
  for (std::uint64_t tokens = 0; tokens <= 12; ++tokens) {
    for (std::int64_t length = 1; length <= 6; ++length) {
      for (std::int64_t stride = 1; stride <= length; ++stride) {
        expect_document_windows(length, stride, documents_of({tokens, 3, 0, tokens}));
      }
    }
  }
}

TEST(ScoringWindows, DocumentScoresEveryTextTokenOnceForRandomCases) {
  std::mt19937_64 random(17);
  for (int trial = 0; trial < 200; ++trial) {
    const auto length = static_cast<std::int64_t>(1 + random() % 64);
    const auto stride = static_cast<std::int64_t>(1 + random() % static_cast<std::uint64_t>(length));
    std::vector<std::uint64_t> tokens(random() % 8);
    for (auto& each : tokens) each = random() % 300;
    expect_document_windows(length, stride, documents_of(tokens));
  }
}

TEST(ScoringWindows, DocumentWindowsAtTheEdges) {
  // n = 0, 1, N, N + 1, and one whose last window is right-aligned; N = 4, S = 2.
  const auto windows = windows_of(&protocol::kDocument, 4, 2, documents_of({0, 1, 4, 5, 7}));
  std::vector<std::vector<std::uint64_t>> seen;
  for (const auto& window : windows) {
    seen.push_back({window.document, window.first_target, static_cast<std::uint64_t>(window.rows),
                    static_cast<std::uint64_t>(window.scored)});
  }
  const std::vector<std::vector<std::uint64_t>> expected = {{1, 1, 1, 1},  {2, 3, 4, 4},  {3, 8, 4, 4}, {3, 9, 4, 1},
                                                            {4, 14, 4, 4}, {4, 16, 4, 2}, {4, 17, 4, 1}};
  EXPECT_EQ(seen, expected);
}

/// lm-eval's rolling windows as its documentation describes them, derived here on their own: over positions of a
/// document's tokens, the inputs of a window being the prefix token (-1) or tokens, and its scored targets.
struct Rolling {
  std::vector<std::int64_t> inputs;
  std::vector<std::int64_t> scored;
  bool operator==(const Rolling&) const = default;
};

std::vector<Rolling> rolling_windows(std::int64_t tokens, std::int64_t length) {
  std::vector<std::int64_t> with_prefix;
  for (std::int64_t i = -1; i < tokens; ++i) with_prefix.push_back(i);
  std::vector<Rolling> windows;
  std::int64_t predicted = 0;
  while (predicted < tokens) {
    const std::int64_t count = std::min(length, tokens - predicted);
    const std::int64_t end = predicted + count;  // the last target + 1, and the number of possible inputs
    Rolling window;
    for (std::int64_t i = std::max<std::int64_t>(0, end - length); i < end; ++i) {
      window.inputs.push_back(with_prefix[static_cast<std::size_t>(i)]);
    }
    for (std::int64_t i = predicted; i < end; ++i) window.scored.push_back(i);
    windows.push_back(window);
    predicted = end;
  }
  return windows;
}

TEST(ScoringWindows, StrideOfTheContextLengthIsLmEvalsRollingWindows) {
  for (std::int64_t tokens = 0; tokens <= 40; ++tokens) {
    for (std::int64_t length = 1; length <= 9; ++length) {
      std::vector<Rolling> ours;
      const auto documents = documents_of({5, static_cast<std::uint64_t>(tokens)});
      for (const auto& window : windows_of(&protocol::kDocument, length, length, documents)) {
        if (window.document != 1) continue;
        const auto first = static_cast<std::int64_t>(window.first_target - documents[1].first_token);
        Rolling rolling;
        for (std::int64_t i = 0; i < window.rows; ++i) rolling.inputs.push_back(first + i - 1);
        for (std::int64_t i = window.rows - window.scored; i < window.rows; ++i) rolling.scored.push_back(first + i);
        ours.push_back(rolling);
      }
      EXPECT_EQ(ours, rolling_windows(tokens, length)) << "n " << tokens << " L " << length;
    }
  }
}

TEST(ScoringWindows, PackedScoresEveryTokenOnceAndKeepsTheTail) {
  for (std::int64_t length = 1; length <= 12; ++length) {
    const auto documents = documents_of({3, 0, 0, 17, 1});
    const auto windows = windows_of(&protocol::kPacked, length, length, documents);
    for (const int times : times_scored(windows, documents)) EXPECT_EQ(times, 1);
    std::uint64_t next = 0;
    for (const auto& window : windows) {
      EXPECT_EQ(window.first_target, next);
      EXPECT_EQ(window.scored, window.rows);
      EXPECT_EQ(window.after_start, next == 0);
      const auto& document = documents.at(window.document);
      EXPECT_GE(window.first_target, document.first_token);
      EXPECT_LT(window.first_target, document.first_token + document.tokens);
      next += static_cast<std::uint64_t>(window.rows);
    }
    EXPECT_EQ(next, 26U);
  }
}

TEST(ScoringWindows, CountsWhatIsToBeScored) {
  const auto documents = documents_of({3, 0, 17});
  EXPECT_EQ(protocol::tokens_to_score({&protocol::kDocument, 4, 2}, documents), 20U);
  EXPECT_EQ(protocol::tokens_to_score({&protocol::kPacked, 4, 4}, documents), 23U);
  EXPECT_EQ(protocol::tokens_to_score({&protocol::kPacked, 4, 4}, {}), 0U);
  EXPECT_TRUE(windows_of(&protocol::kDocument, 4, 2, {}).empty());
  EXPECT_TRUE(windows_of(&protocol::kPacked, 4, 4, {}).empty());
}

TEST(Protocols, AreFoundByTheirNames) {
  std::set<std::string_view> names;
  for (const protocol::Protocol* each : protocol::all()) {
    EXPECT_TRUE(names.insert(each->name).second) << each->name << " twice";
    EXPECT_EQ(protocol::find(each->name), each);
    EXPECT_FALSE(each->summary.empty());
  }
  EXPECT_EQ(protocol::all().front(), &protocol::kDocument) << "the default";
  EXPECT_EQ(protocol::find("packed"), &protocol::kPacked);
  EXPECT_EQ(protocol::find("Packed"), nullptr);
  EXPECT_EQ(protocol::find(""), nullptr);
}

/// What every protocol owes to those who make batches of its windows.
TEST(Protocols, KeepTheirWindowsInsideTheStreamAndTheContext) {
  const Documents documents = documents_of({3, 0, 0, 170, 1, 64, 65});
  for (const protocol::Protocol* each : protocol::all()) {
    for (const std::int64_t length : {1, 2, 7, 64}) {
      const std::int64_t stride = each->default_stride(length);
      ASSERT_GE(stride, 1) << each->name;
      ASSERT_LE(stride, length) << each->name;
      std::uint64_t document = 0;
      for (const Window& window : windows_of(each, length, stride, documents)) {
        ASSERT_GE(window.scored, 1) << each->name;
        ASSERT_LE(window.scored, window.rows) << each->name;
        ASSERT_LE(window.rows, length) << each->name;
        ASSERT_LE(window.first_target + static_cast<std::uint64_t>(window.rows), 310U) << each->name;
        ASSERT_TRUE(window.first_target != 0 || window.after_start) << each->name;
        ASSERT_GE(window.document, document) << each->name;
        document = window.document;
        const auto& record = documents.at(document);
        const std::uint64_t first = window.first_target + static_cast<std::uint64_t>(window.rows - window.scored);
        ASSERT_GE(first, record.first_token) << each->name;
        ASSERT_LT(first, record.first_token + record.tokens) << each->name;
      }
    }
  }
}

}  // namespace
}  // namespace chainrule::pipeline::windows
