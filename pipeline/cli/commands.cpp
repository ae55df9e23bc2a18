#include "pipeline/cli/commands.h"

namespace chainrule::pipeline::cli {

std::string command_text(std::string_view command, const Arguments& arguments) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./,:@%";
  std::string text = "chainrule " + std::string(command);
  for (const std::string& argument : arguments) {
    text += ' ';
    if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) {
      text += argument;
      continue;
    }
    text += '\'';
    for (const char each : argument) text += each == '\'' ? "'\\''" : std::string(1, each);
    text += '\'';
  }
  return text;
}

std::span<const Command> commands() {
  static constexpr Command kCommands[] = {
      {"tokenizer", "train a byte-level BPE tokenizer; encode and decode with one", run_tokenizer},
      {"pack", "text, JSONL and token files into a tokenised data set", run_pack},
      {"export", "a data set as token files of llm.c or Megatron", run_export},
      {"pretrain", "train a model on a data set, on any number of ranks", run_pretrain},
      {"verify-run", "take steps of a pretraining run once more, and compare them in every bit", run_verify_run},
      {"evaluate", "token-weighted cross-entropy and perplexity of a data set", run_evaluate},
      {"report", "curves of pretraining runs as a page; list runs; compare evaluations, merge their parts", run_report},
      {"score", "each factor p(token | text before it) of a text, and their product", run_score},
      {"next", "the next-token distribution behind a text, as bars", run_next},
      {"generate", "continue texts, one sampled token at a time", run_generate},
      {"convert", "a model as a Hugging Face folder, an llm.c model or a checkpoint", run_convert},
      {"inspect", "say what a file, folder or model is, and verify its checksums", run_inspect},
      {"benchmark", "this machine's matrix-product rate, and training and evaluation beside it", run_benchmark},
  };
  return kCommands;
}

}  // namespace chainrule::pipeline::cli
