#include "pipeline/evaluate/tally/document_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace chainrule::pipeline::evaluate::tally {
namespace {

constexpr std::size_t kSumBytes = 4 * sizeof(std::uint64_t);
constexpr std::size_t kEntryBytes = sizeof(std::uint64_t) + 2 * kSumBytes;

void write_sum(const comm::ExactSum& sum, WireWriter& out) {
  const comm::ExactSum::Raw& raw = sum.raw();
  for (const std::uint64_t value : {raw.low, raw.high, raw.count, raw.nonfinite}) out.number(value);
}

comm::ExactSum read_sum(WireReader& in) {
  comm::ExactSum::Raw raw;
  for (std::uint64_t* value : {&raw.low, &raw.high, &raw.count, &raw.nonfinite}) *value = in.number();
  return comm::ExactSum(raw);
}

}  // namespace

void DocumentScore::merge(const DocumentScore& other) {
  text.merge(other.text);
  end_of_text.merge(other.end_of_text);
}

comm::ExactSum DocumentScore::all() const {
  comm::ExactSum sum = text;
  sum.merge(end_of_text);
  return sum;
}

DocumentScore& DocumentScores::score_of(std::uint64_t document) {
  // A rank's units come in stream order: mostly it is the last one, or a new one behind it.
  if (entries_.empty() || entries_.back().document < document) entries_.push_back({document, {}});
  if (entries_.back().document == document) return entries_.back().score;
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), document,
                                   [](const Entry& entry, std::uint64_t wanted) { return entry.document < wanted; });
  if (at->document == document) return at->score;
  return entries_.insert(at, {document, {}})->score;
}

void DocumentScores::add(const ScoredToken& token) {
  DocumentScore& score = score_of(token.document);
  (token.ends_document ? score.end_of_text : score.text).merge(token.nll);
}

void DocumentScores::write(WireWriter& out) const {
  out.number(entries_.size());
  for (const Entry& entry : entries_) {
    out.number(entry.document);
    write_sum(entry.score.text, out);
    write_sum(entry.score.end_of_text, out);
  }
}

void DocumentScores::merge(WireReader& in) {
  std::vector<Entry> others(in.list(kEntryBytes));
  std::uint64_t next = 0;
  for (Entry& entry : others) {
    entry.document = in.number();
    if (entry.document < next || entry.document >= documents_) {
      in.refuse(fmt::format("document {} follows {} of {}", entry.document, next, documents_));
    }
    next = entry.document + 1;
    entry.score.text = read_sum(in);
    entry.score.end_of_text = read_sum(in);
  }
  std::vector<Entry> all;
  all.reserve(entries_.size() + others.size());
  std::merge(entries_.begin(), entries_.end(), others.begin(), others.end(), std::back_inserter(all),
             [](const Entry& a, const Entry& b) { return a.document < b.document; });
  entries_.clear();
  for (const Entry& entry : all) score_of(entry.document).merge(entry.score);
}

std::vector<DocumentScore> DocumentScores::scores() const {
  std::vector<DocumentScore> scores(documents_);
  for (const Entry& entry : entries_) scores[entry.document] = entry.score;
  return scores;
}

DocumentScore DocumentScores::total() const {
  DocumentScore total;
  for (const Entry& entry : entries_) total.merge(entry.score);
  return total;
}

}  // namespace chainrule::pipeline::evaluate::tally
