#include "pipeline/windows/batch_buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace chainrule::pipeline::windows {

void BatchBuffer::begin(std::int64_t rows, std::uint32_t start_token) {
  start_token_ = start_token;
  inputs_.assign(static_cast<std::size_t>(rows), start_token);
  targets_.assign(static_cast<std::size_t>(rows), model::ops::kNotScored);
  sequences_.clear();
  used_rows_ = 0;
}

void BatchBuffer::add_padding(std::int64_t sequence_rows) {
  if (sequence_rows > static_cast<std::int64_t>(inputs_.size()) - used_rows_) {
    throw std::length_error(fmt::format("a window of {} rows does not fit behind {} of a batch of {}", sequence_rows,
                                        used_rows_, inputs_.size()));
  }
  sequences_.push_back({used_rows_, sequence_rows});
  used_rows_ += sequence_rows;
}

std::uint32_t BatchBuffer::add(const io::tokens::TokenStream& stream, const Window& window,
                               std::int64_t sequence_rows) {
  const std::int64_t first_row = used_rows_;
  add_padding(std::max(sequence_rows, window.rows));
  const auto rows = static_cast<std::size_t>(window.rows);
  tokens_.resize(rows + 1);
  const std::span<std::uint32_t> tokens(tokens_);
  if (window.first_target == 0) {
    tokens[0] = start_token_;
    stream.read(0, tokens.subspan(1));
  } else {
    stream.read(window.first_target - 1, tokens);
  }
  const std::uint32_t before = tokens[0];
  if (window.after_start) tokens[0] = start_token_;
  std::copy_n(tokens.begin(), rows, inputs_.begin() + first_row);
  std::copy_n(tokens.end() - window.scored, window.scored, targets_.begin() + first_row + window.rows - window.scored);
  return before;
}

}  // namespace chainrule::pipeline::windows
