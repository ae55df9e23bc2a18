#include "pipeline/evaluate/report/source_table.h"

#include <algorithm>

namespace chainrule::pipeline::evaluate::report {

const io::tokens::DocumentSource& SourceTable::operator[](std::uint64_t index) {
  constexpr std::uint64_t kBlock = 16'384;
  if (index - first_ >= block_.size()) {
    first_ = index;
    block_.resize(std::min<std::uint64_t>(kBlock, size_ - first_));
    data_.read_sources(first_, block_);
  }
  return block_[index - first_];
}

}  // namespace chainrule::pipeline::evaluate::report
