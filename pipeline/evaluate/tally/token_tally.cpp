#include "pipeline/evaluate/tally/token_tally.h"

namespace chainrule::pipeline::evaluate::tally {

void TokenTally::add(const ScoredToken& token) {
  (token.ends_document ? end_of_text : text).merge(token.nll);
  if (token.nll.count() == 0) return;
  squares.add(token.nats * token.nats);
  entropy.add(static_cast<double>(token.entropy_nats));
  if (token.likelier < 1) ++top1;
  if (token.likelier < 5) ++top5;
}

void TokenTally::merge(const TokenTally& other) {
  text.merge(other.text);
  end_of_text.merge(other.end_of_text);
  squares.merge(other.squares);
  entropy.merge(other.entropy);
  top1 += other.top1;
  top5 += other.top5;
}

comm::ExactSum TokenTally::all() const {
  comm::ExactSum sum = text;
  sum.merge(end_of_text);
  return sum;
}

std::array<std::uint64_t, kTallyNumbers> to_numbers(const TokenTally& tally) {
  std::array<std::uint64_t, kTallyNumbers> numbers{};
  std::size_t at = 0;
  for (const comm::ExactSum* sum : {&tally.text, &tally.end_of_text, &tally.squares, &tally.entropy}) {
    const comm::ExactSum::Raw& raw = sum->raw();
    for (const std::uint64_t value : {raw.low, raw.high, raw.count, raw.nonfinite}) numbers[at++] = value;
  }
  numbers[at++] = tally.top1;
  numbers[at] = tally.top5;
  return numbers;
}

TokenTally from_numbers(const std::array<std::uint64_t, kTallyNumbers>& numbers) {
  TokenTally tally;
  std::size_t at = 0;
  for (comm::ExactSum* sum : {&tally.text, &tally.end_of_text, &tally.squares, &tally.entropy}) {
    *sum = comm::ExactSum({numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]});
    at += 4;
  }
  tally.top1 = numbers[at];
  tally.top5 = numbers[at + 1];
  return tally;
}

}  // namespace chainrule::pipeline::evaluate::tally
