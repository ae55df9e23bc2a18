#include "pipeline/evaluate/unit_scorer.h"

#include <fmt/format.h>

#include <utility>

#include "io/error.h"

namespace chainrule::pipeline::evaluate {

UnitScorer::UnitScorer(const io::tokens::TokenStream& stream, std::span<const io::tokens::DocumentRecord> documents,
                       ScoreBatch score)
    : stream_(stream), documents_(documents), score_(std::move(score)), unigram_counts_(stream.domains().size()) {}

tally::UnitResult UnitScorer::score(const windows::WorkUnit& unit) {
  nll_.assign(static_cast<std::size_t>(unit.rows), 0.0);
  buffer_.begin(unit.rows, stream_.start_token());
  for (const auto& window : unit.windows) place(window);
  score_(buffer_.batch(), nll_);
  tally::UnitResult result{unit.index, {}};
  std::int64_t row = 0;
  for (const auto& window : unit.windows) {
    tally(window, row, result);
    row += window.rows;
  }
  return result;
}

void UnitScorer::place(const windows::Window& window) {
  const std::uint32_t before = buffer_.add(stream_, window);
  const bool behind_another = window.first_target != 0 &&  //
                              window.first_target == documents_[window.document].first_token;
  if (behind_another && before != stream_.end_of_text()) {
    refuse_boundary(window.first_target - 1, window.document - 1, before);
  }
}

void UnitScorer::refuse_boundary(std::uint64_t position, std::uint64_t document, std::uint32_t token) const {
  throw io::Error(io::ErrorKind::bad_data,
                  fmt::format("stream token {}: document {} ends in token {}, not in end-of-text ({})", position,
                              document, token, stream_.end_of_text()));
}

void UnitScorer::tally(const windows::Window& window, std::int64_t first_row, tally::UnitResult& result) {
  const std::span<const std::uint32_t> targets = buffer_.batch().targets;
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
    if (last && targets[row] != stream_.end_of_text()) refuse_boundary(position, document, targets[row]);
    tally::DocumentScore& score = result.documents.back().score;
    comm::ExactSum& sum = last ? score.end_of_text : score.text;
    const std::uint64_t before = sum.count();
    sum.add(nll_[row]);
    if (sum.count() != before) unigram_counts_.add(record.domain, targets[row]);
  }
}

}  // namespace chainrule::pipeline::evaluate
