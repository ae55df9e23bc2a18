#pragma once
#include <cstdint>

namespace chainrule::pipeline::windows {

/// Rows that attend to each other. Row i predicts stream token first_target + i from the tokens before it in the
/// window: its input is the stream token before that one, but for row 0 of a window that begins with the start token.
struct Window {
  std::uint64_t first_target = 0;  ///< stream position
  std::int64_t rows = 0;
  std::int64_t scored = 0;     ///< the last so many rows are scored
  bool after_start = false;    ///< row 0's input is the stream's start token; always where first_target is 0
  std::uint64_t document = 0;  ///< index of the document that the first scored token belongs to, where documents count
};

/// Windows in the order in which they are scored, made one at a time.
class WindowCursor {
 public:
  virtual ~WindowCursor() = default;
  /// Whether there is a further window; then it is in window.
  virtual bool next(Window& window) = 0;
};

}  // namespace chainrule::pipeline::windows
