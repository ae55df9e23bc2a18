#include "pipeline/evaluate/requests/answer.h"

#include <cmath>

#include "io/files/json_text.h"

namespace chainrule::pipeline::evaluate::requests {

void put_answer(const Answer& answer, std::size_t i, journal::UnitResult& result) {
  result.nll[i] = answer.nll;
  result.entropy[i] = 0;
  result.top_probability[i] = answer.greedy ? 1 : 0;
  result.rank[i] = 2 * answer.tokens + (answer.truncated ? 1 : 0);
}

Answer answer_at(const journal::UnitResult& result, std::size_t i) {
  return {result.nll[i], result.rank[i] / 2, result.top_probability[i] != 0, result.rank[i] % 2 != 0};
}

std::string answer_line(const Request& request, const Answer& answer) {
  nlohmann::ordered_json json;
  if (!request.id.is_null()) json["id"] = request.id;
  if (std::isfinite(answer.nll)) {
    json["log_likelihood"] = 0 - answer.nll;  // an empty text's is 0, not -0
  } else {
    json["log_likelihood"] = nullptr;
  }
  if (!request.rolling) json["is_greedy"] = answer.greedy;
  json["tokens"] = answer.tokens;
  if (answer.truncated) json["truncated"] = true;
  return io::files::json_text(json) + "\n";
}

}  // namespace chainrule::pipeline::evaluate::requests
