#include "pipeline/evaluate/tally/document_tallies.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>

namespace chainrule::pipeline::evaluate::tally {
namespace {

constexpr std::size_t kEntriesInMemory = 1 << 16;

}  // namespace

void DocumentTallies::add(const ScoredToken& token) {
  if (has_tally_ && token.document != document_) close_document();
  if (!has_tally_ && !entries_.empty() && token.document <= entries_.back().document) {
    throw std::logic_error(
        fmt::format("document {} is scored behind document {}", token.document, entries_.back().document));
  }
  has_tally_ = true;
  document_ = token.document;
  tally_.add(token);
}

void DocumentTallies::close_document() {
  if (entries_.size() == kEntriesInMemory) spill();
  entries_.push_back({document_, to_numbers(tally_)});
  tally_ = {};
  has_tally_ = false;
}

void DocumentTallies::spill() {
  if (!file_) file_.emplace(folder_);
  file_->append(std::as_bytes(std::span(entries_)));
  file_->flush();
  entries_.clear();
}

void DocumentTallies::for_each(const std::function<void(std::uint64_t, const TokenTally&)>& visit) const {
  const std::uint64_t spilled = file_ ? file_->bytes() / sizeof(Entry) : 0;
  std::vector<Entry> block;
  for (std::uint64_t first = 0; first < spilled; first += block.size()) {
    block.resize(std::min<std::uint64_t>(spilled - first, kEntriesInMemory));
    file_->read(first * sizeof(Entry), std::as_writable_bytes(std::span(block)));
    for (const Entry& entry : block) visit(entry.document, from_numbers(entry.numbers));
  }
  for (const Entry& entry : entries_) visit(entry.document, from_numbers(entry.numbers));
  if (has_tally_) visit(document_, tally_);
}

}  // namespace chainrule::pipeline::evaluate::tally
