#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "pipeline/infer/score/render.h"
#include "pipeline/infer/token_json.h"

namespace chainrule::pipeline::infer::score {

nlohmann::ordered_json to_json(const TextScore& score, const models::LoadedModel& model) {
  auto tokens = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < score.tokens.size(); ++i) {
    const TokenScore& token = score.tokens[i];
    const model::sampling::Factor& factor = token.factor;
    const bool finite = std::isfinite(factor.nll_nats);
    nlohmann::ordered_json line = {{"position", i}};
    line.update(token_json(token.token, token.bytes));
    line["probability"] = std::exp(-factor.nll_nats);
    line["nll_nats"] = factor.nll_nats;
    line["nll_bits"] = factor.nll_nats / std::numbers::ln2;
    line["rank"] = finite ? nlohmann::ordered_json(factor.rank) : nullptr;
    line["entropy_nats"] = factor.entropy_nats;
    line["log_probability_so_far_nats"] = token.log_probability_so_far_nats;
    line["likeliest"] = nullptr;
    if (finite) {
      line["likeliest"] = token_json(factor.likeliest, token.likeliest_bytes);
      line["likeliest"]["probability"] = std::exp(-factor.likeliest_nll_nats);
    }
    tokens.push_back(std::move(line));
  }
  return {{"model", models::describe_model(model)},
          {"context_length", score.context_length},
          {"windows", score.windows},
          {"text_bytes", score.text_bytes},
          {"tokens_scored", score.tokens.size() - static_cast<std::size_t>(score.nonfinite_tokens)},
          {"nonfinite_tokens", score.nonfinite_tokens},
          {"log_likelihood_nats", score.log_likelihood_nats},
          {"cross_entropy_nats", score.cross_entropy_nats},
          {"perplexity", score.perplexity},
          {"bits_per_byte", score.bits_per_byte},
          {"tokens", std::move(tokens)}};
}

}  // namespace chainrule::pipeline::infer::score
