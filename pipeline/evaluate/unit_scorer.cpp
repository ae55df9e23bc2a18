#include "pipeline/evaluate/unit_scorer.h"

#include <fmt/format.h>

#include <utility>

#include "io/error.h"

namespace chainrule::pipeline::evaluate {

UnitScorer::UnitScorer(const io::tokens::TokenStream& stream, std::span<const io::tokens::DocumentRecord> documents,
                       std::uint32_t start_token, ScoreBatch score)
    : stream_(stream), documents_(documents), start_token_(start_token), score_(std::move(score)) {}

void UnitScorer::score(const windows::WorkUnit& unit, tally::PartialResult& result) {
  result.begin_unit(unit.index);
  score(unit, [&](const tally::ScoredToken& token) { result.add(token); });
}

void UnitScorer::score(const windows::WorkUnit& unit, const TakeToken& take) {
  scores_.resize(static_cast<std::size_t>(unit.rows));
  buffer_.begin(unit.rows, start_token_);
  for (const auto& window : unit.windows) place(window);
  score_(buffer_.batch(), scores_.view());
  std::int64_t row = 0;
  for (const auto& window : unit.windows) {
    hand_on(window, row, take);
    row += window.rows;
  }
}

void UnitScorer::place(const windows::Window& window) {
  const std::uint32_t before = buffer_.add(stream_, window);
  const bool behind_another =
      window.first_target != 0 && window.first_target == documents_[window.document].first_token;
  if (behind_another && before != stream_.end_of_text()) {
    refuse_boundary(window.first_target - 1, window.document - 1, before);
  }
}

void UnitScorer::refuse_boundary(std::uint64_t position, std::uint64_t document, std::uint32_t token) const {
  throw io::Error(io::ErrorKind::bad_data,
                  fmt::format("stream token {}: document {} ends in token {}, not in end-of-text ({})", position,
                              document, token, stream_.end_of_text()));
}

void UnitScorer::hand_on(const windows::Window& window, std::int64_t first_row, const TakeToken& take) {
  const std::span<const std::uint32_t> targets = buffer_.batch().targets;
  tally::ScoredToken token;
  token.document = window.document;
  for (std::int64_t i = window.rows - window.scored; i < window.rows; ++i) {
    const auto row = static_cast<std::size_t>(first_row + i);
    token.position = window.first_target + static_cast<std::uint64_t>(i);
    while (token.position >= documents_[token.document].first_token + documents_[token.document].tokens) {
      ++token.document;
    }
    const io::tokens::DocumentRecord& record = documents_[token.document];
    token.domain = record.domain;
    token.token = targets[row];
    token.context = i + 1;
    token.ends_document = token.position + 1 == record.first_token + record.tokens;
    if (token.ends_document && token.token != stream_.end_of_text()) {
      refuse_boundary(token.position, token.document, token.token);
    }
    token.nll = {};
    token.nll.add(scores_.nll[row]);
    take(token);
  }
}

}  // namespace chainrule::pipeline::evaluate
