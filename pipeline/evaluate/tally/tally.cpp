#include "pipeline/evaluate/tally/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace chainrule::pipeline::evaluate::tally {
namespace {

/// A UnitResult as it travels: one of these for each document, the unit repeated in each.
struct Travelling {
  std::uint64_t unit = 0;
  std::uint64_t document = 0;
  comm::ExactSum::Raw text;
  comm::ExactSum::Raw end_of_text;
};
static_assert(std::has_unique_object_representations_v<Travelling>, "no padding travels");

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

std::vector<UnitResult> gather_results(const comm::Communicator& communicator, std::span<const UnitResult> mine) {
  std::vector<Travelling> sent;
  for (const auto& result : mine) {
    for (const auto& tally : result.documents) {
      sent.push_back({result.unit, tally.document, tally.score.text.raw(), tally.score.end_of_text.raw()});
    }
  }
  std::vector<UnitResult> all;
  for (const auto& bytes : communicator.gather(std::as_bytes(std::span(sent)))) {
    bool first = true;  // a rank's units follow each other, so a new one starts where the index changes
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(Travelling)) {
      Travelling got;
      std::memcpy(&got, bytes.data() + at, sizeof got);
      if (first || all.back().unit != got.unit) all.push_back({got.unit, {}});
      first = false;
      all.back().documents.push_back({got.document, {comm::ExactSum(got.text), comm::ExactSum(got.end_of_text)}});
    }
  }
  return all;
}

std::vector<DocumentScore> merge_results(std::vector<UnitResult> results, std::uint64_t units,
                                         std::uint64_t documents) {
  std::sort(results.begin(), results.end(), [](const auto& a, const auto& b) { return a.unit < b.unit; });
  if (results.size() != units) {
    throw std::logic_error(fmt::format("{} results of {} work units", results.size(), units));
  }
  std::vector<DocumentScore> scores(documents);
  for (std::uint64_t unit = 0; unit < units; ++unit) {
    if (results[unit].unit != unit) throw std::logic_error(fmt::format("work unit {} has no result", unit));
    for (const auto& tally : results[unit].documents) scores.at(tally.document).merge(tally.score);
  }
  return scores;
}

}  // namespace chainrule::pipeline::evaluate::tally
