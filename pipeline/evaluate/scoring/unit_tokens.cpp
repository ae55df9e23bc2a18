#include "pipeline/evaluate/scoring/unit_tokens.h"

#include <fmt/format.h>

#include "io/error.h"

namespace chainrule::pipeline::evaluate::scoring {

UnitTokens::UnitTokens(const io::tokens::TokenStream& stream, const io::tokens::DocumentTable& documents,
                       std::uint32_t start_token)
    : stream_(stream), documents_(documents), start_token_(start_token) {}

void UnitTokens::read(const windows::WorkUnit& unit) {
  buffer_.begin(unit.rows, start_token_);
  for (const auto& window : unit.windows) place(window);
}

void UnitTokens::place(const windows::Window& window) {
  const std::uint32_t before = buffer_.add(stream_, window);
  const bool behind_another = stream_.has_end_of_text() && window.first_target != 0 &&
                              window.first_target == documents_[window.document].first_token;
  if (behind_another && before != stream_.end_of_text()) {
    refuse_boundary(window.first_target - 1, window.document - 1, before);
  }
}

void UnitTokens::refuse_boundary(std::uint64_t position, std::uint64_t document, std::uint32_t token) const {
  throw io::Error(io::ErrorKind::bad_data,
                  fmt::format("stream token {}: document {} ends in token {}, not in end-of-text ({})", position,
                              document, token, stream_.end_of_text()));
}

void UnitTokens::for_each(const windows::WorkUnit& unit, std::uint64_t first_window,
                          const std::function<void(std::size_t row, tally::ScoredToken& token)>& visit) const {
  const std::span<const std::uint32_t> targets = buffer_.batch().targets;
  const bool has_end_of_text = stream_.has_end_of_text();
  std::int64_t first_row = 0;
  tally::ScoredToken token;
  token.window = first_window;
  for (const windows::Window& window : unit.windows) {
    token.document = window.document;
    token.window_scored = window.scored;
    io::tokens::DocumentRecord record = documents_[token.document];
    for (std::int64_t i = window.rows - window.scored; i < window.rows; ++i) {
      const auto row = static_cast<std::size_t>(first_row + i);
      token.position = window.first_target + static_cast<std::uint64_t>(i);
      while (token.position >= record.first_token + record.tokens) record = documents_[++token.document];
      token.document_tokens = record.tokens - (has_end_of_text ? 1 : 0);
      token.domain = record.domain;
      token.token = targets[row];
      token.context = i + 1;
      token.ends_document = has_end_of_text && token.position + 1 == record.first_token + record.tokens;
      if (token.ends_document && token.token != stream_.end_of_text()) {
        refuse_boundary(token.position, token.document, token.token);
      }
      visit(row, token);
    }
    first_row += window.rows;
    ++token.window;
  }
}

}  // namespace chainrule::pipeline::evaluate::scoring
