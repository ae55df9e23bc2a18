#include "pipeline/cli/sample_printer.h"

#include <fmt/format.h>

#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {

void SamplePrinter::begin() {
  if (begun_) return;
  begun_ = true;
  if (waiting_.size() > 1) run::print(fmt::format("--- sample {} of {} ---\n", turn_ + 1, waiting_.size()));
}

void SamplePrinter::add(std::int64_t sample, std::string_view piece) {
  if (static_cast<std::size_t>(sample) != turn_) {
    waiting_[static_cast<std::size_t>(sample)] += piece;
    return;
  }
  begin();
  run::print(piece);
}

void SamplePrinter::finish(std::int64_t sample) {
  ended_[static_cast<std::size_t>(sample)] = true;
  for (; turn_ < waiting_.size(); ++turn_, begun_ = false) {
    begin();
    run::print(waiting_[turn_]);
    waiting_[turn_].clear();
    if (!ended_[turn_]) return;
    run::print("\n");
  }
}

}  // namespace chainrule::pipeline::cli
