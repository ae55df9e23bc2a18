#include "pipeline/evaluate/unit_scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/error.h"

namespace chainrule::pipeline::evaluate {

UnitScorer::UnitScorer(std::span<const io::tokens::DocumentRecord> documents, std::size_t domains,
                       std::uint32_t end_of_text, ReadTokens read, ScoreBatch score)
    : documents_(documents),
      end_of_text_(end_of_text),
      read_(std::move(read)),
      score_(std::move(score)),
      unigram_counts_(domains) {}

tally::UnitResult UnitScorer::score(const windows::WorkUnit& unit) {
  const auto rows = static_cast<std::size_t>(unit.rows);
  inputs_.assign(rows, end_of_text_);
  targets_.assign(rows, model::ops::kNotScored);
  nll_.assign(rows, 0.0);
  sequences_.clear();
  std::int64_t row = 0;
  for (const auto& window : unit.windows) {
    place(window, row);
    sequences_.push_back({row, window.rows});
    row += window.rows;
  }
  score_({inputs_, targets_, sequences_}, nll_);
  tally::UnitResult result{unit.index, {}};
  row = 0;
  for (const auto& window : unit.windows) {
    tally(window, row, result);
    row += window.rows;
  }
  return result;
}

void UnitScorer::place(const windows::ScoringWindow& window, std::int64_t first_row) {
  const auto rows = static_cast<std::size_t>(window.rows);
  const auto first = static_cast<std::size_t>(first_row);
  tokens_.resize(rows + 1);
  const std::span<std::uint32_t> tokens(tokens_);
  if (window.first_target == 0) {
    tokens_[0] = end_of_text_;
    read_(0, tokens.subspan(1));
  } else {
    read_(window.first_target - 1, tokens);
  }
  if (window.first_target == documents_[window.document].first_token && tokens_[0] != end_of_text_) {
    refuse_boundary(window.first_target - 1, window.document - 1, tokens_[0]);
  }
  std::copy_n(tokens_.begin(), rows, inputs_.begin() + first_row);
  const std::size_t context = rows - static_cast<std::size_t>(window.scored);
  for (std::size_t i = context; i < rows; ++i) targets_[first + i] = tokens_[i + 1];
}

void UnitScorer::refuse_boundary(std::uint64_t position, std::uint64_t document, std::uint32_t token) const {
  throw io::Error(io::ErrorKind::bad_data,
                  fmt::format("stream token {}: document {} ends in token {}, not in end-of-text ({})", position,
                              document, token, end_of_text_));
}

void UnitScorer::tally(const windows::ScoringWindow& window, std::int64_t first_row, tally::UnitResult& result) {
  std::uint64_t document = window.document;
  for (std::int64_t i = window.rows - window.scored; i < window.rows; ++i) {
    const std::uint64_t position = window.first_target + static_cast<std::uint64_t>(i);
    while (position >= documents_[document].first_token + documents_[document].tokens) ++document;
    if (result.documents.empty() || result.documents.back().document != document) {
      result.documents.push_back({document, {}});
    }
    const io::tokens::DocumentRecord& record = documents_[document];
    const auto row = static_cast<std::size_t>(first_row + i);
    const bool last = position + 1 == record.first_token + record.tokens;
    if (last && targets_[row] != end_of_text_) refuse_boundary(position, document, targets_[row]);
    tally::DocumentScore& score = result.documents.back().score;
    comm::ExactSum& sum = last ? score.end_of_text : score.text;
    const std::uint64_t before = sum.count();
    sum.add(nll_[row]);
    if (sum.count() != before) unigram_counts_.add(record.domain, targets_[row]);
  }
}

}  // namespace chainrule::pipeline::evaluate
