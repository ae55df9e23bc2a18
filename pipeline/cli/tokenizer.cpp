// chainrule tokenizer train | encode | decode.
#include "pipeline/cli/tokenizer.h"

#include "pipeline/cli/actions.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_tokenizer(const Arguments& arguments) {
  static constexpr Command kActions[] = {
      {"train", "learn a byte-level BPE tokenizer from text", run_tokenizer_train},
      {"encode", "text to token ids", run_tokenizer_encode},
      {"decode", "token ids to text", run_tokenizer_decode},
  };
  return run_action("tokenizer", kActions, arguments);
}

}  // namespace chainrule::pipeline::cli
