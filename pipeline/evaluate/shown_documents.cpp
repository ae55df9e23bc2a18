#include "pipeline/evaluate/shown_documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "pipeline/models/text_model.h"

namespace chainrule::pipeline::evaluate {
namespace {

constexpr std::uint64_t kFewestTokens = 16;
constexpr std::size_t kOfEach = 3;
constexpr std::size_t kMostTokens = 400;

struct Candidate {
  std::uint64_t document = 0;
  double nats_per_token = 0;
  std::uint64_t tokens = 0;
};

/// Keeps the first few by `before`.
template <class Before>
void keep(std::vector<Candidate>& kept, const Candidate& candidate, const Before& before) {
  kept.insert(std::upper_bound(kept.begin(), kept.end(), candidate, before), candidate);
  if (kept.size() > kOfEach) kept.pop_back();
}

page::ShownDocument shown(const Candidate& candidate, bool surprising, const io::tokens::TokenStream& data) {
  io::tokens::DocumentSource source;
  data.read_sources(candidate.document, std::span(&source, 1));
  page::ShownDocument document;
  document.label = source.line == 0 ? source.file : fmt::format("{}:{}", source.file, source.line);
  document.nats_per_token = candidate.nats_per_token;
  document.surprising = surprising;
  document.hidden_tokens = candidate.tokens;
  return document;
}

}  // namespace

std::vector<page::ShownDocument> shown_documents(const EvaluationPlan& plan, const io::tokens::TokenStream& data,
                                                 const scoring::ResultOfUnit& result_of,
                                                 const tally::DocumentTallies& tallies,
                                                 const io::tokenizer::Tokenizer& tokenizer) {
  std::vector<Candidate> most;
  std::vector<Candidate> least;
  tallies.for_each([&](std::uint64_t document, const tally::TokenTally& tally) {
    const comm::ExactSum& text = tally.text;
    if (text.nonfinite() != 0 || text.count() < kFewestTokens) return;
    const Candidate candidate{document, text.nats() / static_cast<double>(text.count()), text.count()};
    keep(most, candidate, [](const auto& a, const auto& b) { return a.nats_per_token > b.nats_per_token; });
    keep(least, candidate, [](const auto& a, const auto& b) { return a.nats_per_token < b.nats_per_token; });
  });
  std::vector<page::ShownDocument> documents;
  std::map<std::uint64_t, std::size_t> places;  // by document
  const auto show = [&](const std::vector<Candidate>& candidates, bool surprising) {
    for (const Candidate& each : candidates) {
      if (!places.emplace(each.document, documents.size()).second) continue;
      documents.push_back(shown(each, surprising, data));
    }
  };
  show(most, true);
  show(least, false);
  const io::tokens::DocumentTable covered(data, plan.subject.documents);
  const auto holds_one = [&](const windows::WorkUnit& unit) {
    const std::uint64_t begin = unit.windows.front().first_target;
    const std::uint64_t end = unit.windows.back().first_target + static_cast<std::uint64_t>(unit.windows.back().rows);
    return std::any_of(places.begin(), places.end(), [&](const auto& place) {
      const io::tokens::DocumentRecord& record = covered[place.first];
      return record.first_token < end && record.first_token + record.tokens > begin;
    });
  };
  scoring::replay(
      plan.units(), covered, {data, covered, plan.start_token}, result_of,
      [&](const tally::ScoredToken& token) {
        const auto place = places.find(token.document);
        if (place == places.end() || token.ends_document) return;
        page::ShownDocument& document = documents[place->second];
        if (document.tokens.size() == kMostTokens) return;
        document.tokens.push_back({std::string(models::token_bytes(tokenizer, token.token)), token.nats});
        --document.hidden_tokens;
      },
      holds_one);
  return documents;
}

}  // namespace chainrule::pipeline::evaluate
