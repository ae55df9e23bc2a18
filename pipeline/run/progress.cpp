#include "pipeline/run/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "pipeline/run/standard_streams.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::run {
Progress::Progress(std::string what, std::string unit, std::uint64_t total, bool speaks)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      speaks_(speaks),
      terminal_(::isatty(STDERR_FILENO) == 1),
      started_(std::chrono::steady_clock::now()),
      next_(started_ + std::chrono::milliseconds(terminal_ ? 200 : 10'000)) {}

void Progress::update(std::uint64_t done, const std::string& note) {
  const auto now = std::chrono::steady_clock::now();
  if (!speaks_ || now < next_) return;
  next_ = now + std::chrono::milliseconds(terminal_ ? 200 : 10'000);
  print(done, note, false);
}

void Progress::finish(std::uint64_t done, const std::string& note) {
  if (speaks_) print(done, note, true);
}

void Progress::print(std::uint64_t done, const std::string& note, bool last) {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  const double rate = static_cast<double>(done) / std::max(elapsed, 1e-9);
  std::string line = what_ + ": ";
  line += total_ != 0 && !last ? fmt::format("{} of {} {}", show::scaled(static_cast<double>(done)),
                                             show::scaled(static_cast<double>(total_)), unit_)
                               : fmt::format("{} {}", show::scaled(static_cast<double>(done)), unit_);
  line += fmt::format(", {} {}/s", show::scaled(rate), unit_);
  if (!note.empty()) line += ", " + note;
  if (last) {
    line += fmt::format(", took {}", show::clock_time(elapsed));
  } else if (total_ != 0 && done != 0) {
    line += fmt::format(", {} left", show::clock_time(static_cast<double>(total_ - std::min(done, total_)) / rate));
  }
  if (terminal_) {
    const std::size_t width = line.size();
    if (width < shown_width_) line.append(shown_width_ - width, ' ');
    shown_width_ = width;
    say(fmt::format("\r{}{}", line, last ? "\n" : ""));
  } else {
    say(fmt::format("{}\n", line));
  }
}

}  // namespace chainrule::pipeline::run
