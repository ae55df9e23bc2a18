#pragma once
#include <cstdint>
#include <vector>

namespace chainrule::pipeline::watch::curves {

/// Which lines of a log hold the last taking of a step: a run that goes on from an older checkpoint takes steps again,
/// and what it had said of them before holds no longer. Lines are counted from 1.
class KeptSteps {
 public:
  /// Each line in its order. True where its step is not beyond that of the line before: earlier lines from this step on
  /// are void.
  bool add(std::int64_t line, std::int64_t step);
  /// Whether a line holds, once all were added; to be asked in the order of lines.
  bool holds(std::int64_t line, std::int64_t step);

 private:
  struct Return {
    std::int64_t line;  ///< lines before it
    std::int64_t step;  ///< hold only below this step
  };
  std::vector<Return> returns_;  // ascending lines and steps
  std::size_t next_ = 0;         // the first of them that lies behind the line asked for
  std::int64_t last_step_ = 0;
};

}  // namespace chainrule::pipeline::watch::curves
