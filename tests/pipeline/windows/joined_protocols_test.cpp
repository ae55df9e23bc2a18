// The protocols of joined text against what their programs do, written out here from their definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::windows {
namespace {

using Documents = std::vector<io::tokens::DocumentRecord>;

/// Joined text of n tokens, in documents of which some have none.
Documents joined(std::uint64_t tokens) {
  const std::uint64_t third = tokens / 3;
  return {{0, third, 0, 0, 0},
          {third, 0, 0, 0, 0},
          {third, tokens - third - tokens / 4, 0, 0, 0},
          {tokens - tokens / 4, tokens / 4, 0, 0, 0},
          {tokens, 0, 0, 0, 0}};
}

/// A scored token and the positions of the tokens it is predicted from.
struct Prediction {
  std::int64_t target = 0;
  std::int64_t first_input = 0;  ///< position
  bool first_is_replaced = false;
  std::int64_t inputs = 0;
  std::int64_t window = 0;
  bool operator==(const Prediction&) const = default;
};

std::vector<Prediction> predictions_of(const protocol::ScoringOptions& options, const Documents& documents) {
  std::vector<Prediction> predictions;
  const auto cursor = protocol::make_cursor(options, documents);
  std::int64_t index = 0;
  for (Window window; cursor->next(window); ++index) {
    EXPECT_LE(window.rows, options.context_length);
    for (std::int64_t row = window.rows - window.scored; row < window.rows; ++row) {
      const auto first = static_cast<std::int64_t>(window.first_target) - 1;
      predictions.push_back({first + 1 + row, first, window.after_start, row + 1, index});
    }
    const std::uint64_t scored = window.first_target + static_cast<std::uint64_t>(window.rows - window.scored);
    const auto& document = documents.at(window.document);
    EXPECT_GE(scored, document.first_token);
    EXPECT_LT(scored, document.first_token + document.tokens);
  }
  return predictions;
}

/// tools/perplexity: for each whole chunk, logits j in [n_ctx / 2, n_ctx - 1) predict token j + 1.
std::vector<Prediction> llama_cpp(std::int64_t n, std::int64_t n_ctx, bool add_bos) {
  std::vector<Prediction> predictions;
  for (std::int64_t chunk = 0; chunk < n / n_ctx; ++chunk) {
    const std::int64_t start = chunk * n_ctx;
    for (std::int64_t j = n_ctx / 2; j < n_ctx - 1; ++j)
      predictions.push_back({start + j + 1, start, add_bos, j + 1, chunk});
  }
  return predictions;
}

/// llama_eval: shifted labels of floor(n / L) windows.
std::vector<Prediction> gptq(std::int64_t n, std::int64_t length) {
  std::vector<Prediction> predictions;
  for (std::int64_t i = 0; i < n / length; ++i) {
    for (std::int64_t label = 1; label < length; ++label)
      predictions.push_back({i * length + label, i * length, false, label, i});
  }
  return predictions;
}

/// The page's loop: labels of a window are -100 but for the last trg_len, then shifted by one.
struct Page {
  std::vector<Prediction> predictions;
  std::vector<double> valid_less_one, trg_len;  ///< of windows that have a loss
  std::int64_t end_loc = 0;
};
Page hf_stride(std::int64_t n, std::int64_t length, std::int64_t stride) {
  Page page;
  std::int64_t previous = 0;
  std::int64_t windows = 0;
  for (std::int64_t begin = 0; begin < n; begin += stride) {
    const std::int64_t end = std::min(begin + length, n);
    const std::int64_t trg_len = end - previous;
    std::vector<bool> is_label(static_cast<std::size_t>(end - begin));
    for (std::int64_t i = 0; i < end - begin; ++i) is_label[static_cast<std::size_t>(i)] = i >= end - begin - trg_len;
    const std::size_t before = page.predictions.size();
    for (std::int64_t i = 1; i < end - begin; ++i) {
      if (is_label[static_cast<std::size_t>(i)]) page.predictions.push_back({begin + i, begin, false, i, windows});
    }
    previous = page.end_loc = end;
    if (page.predictions.size() != before) {
      ++windows;
      page.valid_less_one.push_back(static_cast<double>(std::count(is_label.begin(), is_label.end(), true) - 1));
      page.trg_len.push_back(static_cast<double>(trg_len));
    }
    if (end == n) break;
  }
  return page;
}

void expect_all_tokens(const protocol::ScoringOptions& options, const Documents& documents, std::uint64_t tokens) {
  std::uint64_t sum = protocol::tokens_to_score(options, documents);
  for (const protocol::Dropped& each : options.protocol->dropped(options, documents)) sum += each.tokens;
  EXPECT_EQ(sum, tokens) << "scored and dropped";
}

TEST(JoinedProtocols, LlamaCppScoresSecondHalvesOfChunks) {
  for (std::int64_t n = 0; n <= 40; ++n) {
    for (std::int64_t n_ctx = 1; n_ctx <= 11; ++n_ctx) {
      for (const bool add_bos : {false, true}) {
        SCOPED_TRACE(testing::Message() << "n " << n << " n_ctx " << n_ctx);
        const protocol::ScoringOptions options{&protocol::kLlamaCpp, n_ctx, n_ctx, add_bos};
        const Documents documents = joined(static_cast<std::uint64_t>(n));
        EXPECT_EQ(predictions_of(options, documents), llama_cpp(n, n_ctx, add_bos));
        expect_all_tokens(options, documents, static_cast<std::uint64_t>(n));
      }
    }
  }
}

TEST(JoinedProtocols, LlamaCppCountsAsItsProgramSays) {
  // n_ctx - 1 - n_ctx / 2 of each chunk: 255 of 512, and of an odd 5 (two: logits 2 and 3).
  EXPECT_EQ(protocol::tokens_to_score({&protocol::kLlamaCpp, 512, 512}, joined(1100)), 2 * 255U);
  EXPECT_EQ(protocol::tokens_to_score({&protocol::kLlamaCpp, 5, 5}, joined(14)), 2 * 2U);
}

TEST(JoinedProtocols, GptqScoresAllButTheFirstTokenOfWholeWindows) {
  for (std::int64_t n = 0; n <= 40; ++n) {
    for (std::int64_t length = 1; length <= 9; ++length) {
      SCOPED_TRACE(testing::Message() << "n " << n << " L " << length);
      const protocol::ScoringOptions options{&protocol::kGptq, length, length};
      const Documents documents = joined(static_cast<std::uint64_t>(n));
      EXPECT_EQ(predictions_of(options, documents), gptq(n, length));
      expect_all_tokens(options, documents, static_cast<std::uint64_t>(n));
    }
  }
}

TEST(JoinedProtocols, HfStrideScoresAndWeighsAsThePage) {
  const auto& numbers = protocol::kHfStride.numbers;
  ASSERT_EQ(numbers.size(), 2U);
  for (std::int64_t n = 0; n <= 40; ++n) {
    for (std::int64_t length = 2; length <= 9; ++length) {
      for (std::int64_t stride = 1; stride <= length; ++stride) {
        SCOPED_TRACE(testing::Message() << "n " << n << " L " << length << " S " << stride);
        const protocol::ScoringOptions options{&protocol::kHfStride, length, stride};
        const Documents documents = joined(static_cast<std::uint64_t>(n));
        const Page page = hf_stride(n, length, stride);
        EXPECT_EQ(predictions_of(options, documents), page.predictions);
        expect_all_tokens(options, documents, static_cast<std::uint64_t>(n));
        std::vector<double> less_one, labels;
        const auto cursor = protocol::make_cursor(options, documents);
        std::uint64_t index = 0;
        for (Window window; cursor->next(window); ++index) {
          less_one.push_back(numbers[0].window_weight(options, index, window.scored));
          labels.push_back(numbers[1].window_weight(options, index, window.scored));
        }
        EXPECT_EQ(less_one, page.valid_less_one);
        EXPECT_EQ(labels, page.trg_len);
        // The older page divides by the last end: all labels, where no window is left without a loss.
        const double sum = std::accumulate(labels.begin(), labels.end(), 0.0);
        if (n > 1 && !(stride == length && n % length == 1)) {
          EXPECT_EQ(sum, static_cast<double>(page.end_loc));
        }
      }
    }
  }
}

TEST(JoinedProtocols, TakeNoTokenOfTextThatIsTooShort) {
  for (const protocol::Protocol* each : {&protocol::kLlamaCpp, &protocol::kGptq}) {
    EXPECT_EQ(protocol::tokens_to_score({each, 8, 8}, joined(7)), 0U) << each->name;
    EXPECT_EQ(protocol::tokens_to_score({each, 8, 8}, {}), 0U) << each->name;
  }
  EXPECT_EQ(protocol::tokens_to_score({&protocol::kHfStride, 8, 4}, joined(1)), 0U);
  EXPECT_EQ(protocol::tokens_to_score({&protocol::kHfStride, 8, 4}, {}), 0U);
}

}  // namespace
}  // namespace chainrule::pipeline::windows
