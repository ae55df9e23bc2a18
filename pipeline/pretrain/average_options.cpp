#include "pipeline/pretrain/average_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "io/quote.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain {
namespace {

constexpr std::string_view kMoving = "ema:";
constexpr std::string_view kLast = "last:";

}  // namespace

double parse_average(const std::string& text) {
  const auto refuse = [&](const char* why) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("option '--average' is {}: {}", io::in_quotes(text), why));
  };
  if (text.starts_with(kLast)) {
    refuse(
        "the mean of the last K checkpoints is taken where they are read, of those that --keep-checkpoints keeps: "
        "as the model RUN/last:K");
  }
  double decay = 0;
  const char* const end = text.data() + text.size();
  const char* const begin = text.data() + std::min(kMoving.size(), text.size());
  const auto [stop, error] = std::from_chars(begin, end, decay);
  if (!text.starts_with(kMoving) || error != std::errc() || stop != end || !(decay > 0 && decay < 1)) {
    refuse("ema:DECAY is asked for, with DECAY above 0 and below 1");
  }
  return decay;
}

std::string average_rule(double decay) { return fmt::format("{}{}", kMoving, decay); }

}  // namespace chainrule::pipeline::pretrain
