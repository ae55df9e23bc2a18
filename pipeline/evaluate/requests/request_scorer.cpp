#include "pipeline/evaluate/requests/request_scorer.h"

#include <iterator>

#include "pipeline/evaluate/requests/answer.h"

namespace chainrule::pipeline::evaluate::requests {

RequestScorer::RequestScorer(const RequestFile& file, const RequestEncoder& encoder, const SharingOptions& sharing,
                             ScoreShared score)
    : file_(file), encoder_(encoder), sharing_(sharing), score_(std::move(score)) {}

const journal::UnitResult& RequestScorer::score(std::uint64_t unit) {
  windows_.clear();
  std::vector<Answer> answers;
  std::vector<std::size_t> windows_of;
  file_.visit(unit, [&](const Request& request, const std::string& name) {
    RequestTokens tokens = encoder_.encode(request, name);
    answers.push_back({.tokens = static_cast<std::uint32_t>(tokens.scored), .truncated = tokens.truncated});
    windows_of.push_back(tokens.windows.size());
    windows_.insert(windows_.end(), std::make_move_iterator(tokens.windows.begin()),
                    std::make_move_iterator(tokens.windows.end()));
  });
  window_scores_.assign(windows_.size(), {});
  for_each_shared_batch(windows_, sharing_, [&](const SharedBatch& batch) { score_batch(batch); });

  result_.unit = unit;
  result_.resize(answers.size());
  auto window = window_scores_.begin();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    for (std::size_t left = windows_of[i]; left > 0; --left, ++window) {
      answers[i].nll += window->nll;
      answers[i].greedy = answers[i].greedy && window->greedy;
    }
    put_answer(answers[i], i, result_);
  }
  return result_;
}

void RequestScorer::score_batch(const SharedBatch& batch) {
  scores_.resize(batch.inputs.size());
  further_scores_.resize(batch.further.size());
  score_(batch, scores_.view(), further_scores_.view());
  std::size_t further = 0;  // those before it are done with
  for (const Ask& ask : batch.asks) {
    const auto row = static_cast<std::size_t>(ask.row);
    const bool first = batch.targets[row] == ask.target;
    if (!first && (batch.further[further].row != ask.row || batch.further[further].target != ask.target)) ++further;
    const auto& scores = first ? scores_ : further_scores_;
    const std::size_t at = first ? row : further;
    window_scores_[ask.window].nll += scores.nll[at];
    window_scores_[ask.window].greedy = window_scores_[ask.window].greedy && scores.rank[at] == 0;
  }
}

}  // namespace chainrule::pipeline::evaluate::requests
