#pragma once
#include "io/tokenizer/tokenizer.h"

namespace chainrule::tests {

/// Of the letters x (0) and y (1), space (2), line feed (3) and end-of-text (4), with the pattern (?:x+x+)+y, of which
/// the engine gives up on forty x before some other character and a y. A text without y does not match, which is soon
/// seen.
io::tokenizer::Tokenizer tokenizer_that_gives_up();

}  // namespace chainrule::tests
