#pragma once
#include <cstdint>
#include <functional>

#include "io/tokens/document_table.h"
#include "pipeline/evaluate/tally/scored_token.h"
#include "pipeline/windows/batch_buffer.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate::scoring {

/// A work unit as a batch, and which tokens it scores. Its buffers are made once.
class UnitTokens {
 public:
  /// documents are the first of stream's, which outlives this. start_token: what the model reads documents behind.
  UnitTokens(const io::tokens::TokenStream& stream, const io::tokens::DocumentTable& documents,
             std::uint32_t start_token);

  /// Reads a unit's windows. Throws io::Error bad_data where a document that a window begins is not behind an
  /// end-of-text, and what reading throws.
  void read(const windows::WorkUnit& unit);
  /// Of the unit that was read.
  model::ops::Batch batch() const { return buffer_.batch(); }

  /// Calls visit for each scored token of the unit that was read, in the order of its windows, with its row in the
  /// batch and its place filled in (nothing that the model says of it). first_window: the index of the unit's first.
  /// Throws io::Error bad_data where a document of a stream that has end-of-text does not end in one.
  void for_each(const windows::WorkUnit& unit, std::uint64_t first_window,
                const std::function<void(std::size_t row, tally::ScoredToken& token)>& visit) const;

 private:
  [[noreturn]] void refuse_boundary(std::uint64_t position, std::uint64_t document, std::uint32_t token) const;
  void place(const windows::Window& window);

  const io::tokens::TokenStream& stream_;
  io::tokens::DocumentTable documents_;
  std::uint32_t start_token_;
  windows::BatchBuffer buffer_;
};

}  // namespace chainrule::pipeline::evaluate::scoring
