#pragma once
#include <cstdint>
#include <string>

#include "pipeline/evaluate/journal/unit_result.h"
#include "pipeline/evaluate/requests/request.h"

namespace chainrule::pipeline::evaluate::requests {

/// What there is to say of a request.
struct Answer {
  double nll = 0;            ///< nats of all scored tokens
  std::uint32_t tokens = 0;  ///< scored
  bool greedy = true;        ///< greedy decoding gives every one of them
  bool truncated = false;    ///< the context's beginning was left out
};

/// Most tokens that a record can say of an answer.
inline constexpr std::uint32_t kMostAnswerTokens = std::uint32_t{1} << 30U;

/// An answer as entry i of a unit's record, which has a place for each request: nll; whether greedy (1 or 0) as
/// top_probability; twice the tokens, and 1 where truncated, as rank; no entropy.
void put_answer(const Answer& answer, std::size_t i, journal::UnitResult& result);
Answer answer_at(const journal::UnitResult& result, std::size_t i);

/// The answer's line, with its end: {"id", "log_likelihood", "is_greedy", "tokens", "truncated"}; log_likelihood is
/// null where it is not finite, id and truncated are left out where there is none; a text's answer says neither greedy
/// nor truncated.
std::string answer_line(const Request& request, const Answer& answer);

}  // namespace chainrule::pipeline::evaluate::requests
