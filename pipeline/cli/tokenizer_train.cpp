#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "io/files/atomic_output.h"
#include "io/text/text_source.h"
#include "io/tokenizer/trainer.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/text_files.h"
#include "pipeline/cli/tokenizer.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/progress.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {
namespace {

constexpr std::int64_t kLargestVocabulary = 10'000'000;

struct TrainOptions {
  TextFiles text_files;
  std::vector<std::string> inputs;
  std::int64_t vocabulary_size = 0;
  std::string output;
};

/// Feeds every document to the trainer.
void count_pieces(const std::vector<io::text::TextFile>& files, const std::string& text_field,
                  io::tokenizer::TokenizerTrainer& trainer) {
  std::uint64_t total_bytes = 0;
  for (const auto& file : files) total_bytes += file.bytes;
  run::Progress progress("counting pieces", "bytes", total_bytes, true);
  std::uint64_t files_bytes = 0;
  std::uint64_t text_bytes = 0;
  for (const auto& file : files) {
    const std::uint64_t before = text_bytes;
    io::text::visit_documents(file, {text_field}, [&](const io::text::Document& document) {
      trainer.add(document.text);
      text_bytes += document.text.size();
      progress.update(std::min(files_bytes + text_bytes - before, total_bytes));
    });
    files_bytes += file.bytes;
  }
  progress.finish(files_bytes, fmt::format("{} files", files.size()));
  if (text_bytes == 0) throw failure::Error(failure::ExitCode::bad_data, "tokenizer train: the inputs hold no text");
}

void train(const TrainOptions& options) {
  io::files::AtomicOutput output(options.output);  // before the work that it is to hold
  io::tokenizer::TokenizerTrainer trainer;
  const io::text::FindOptions find_options = options.text_files.find_options();
  const io::text::FoundTexts found = io::text::find_text_files(options.inputs, find_options);
  if (!found.left_out.empty()) {
    run::say("tokenizer train: " + io::text::report_of(found.left_out, options.text_files.list_skipped()));
  }
  count_pieces(found.files, find_options.text_field, trainer);
  if (trainer.forgotten_pieces() != 0) {
    run::say(
        fmt::format("tokenizer train: {} rare pieces were left out to bound memory\n", trainer.forgotten_pieces()));
  }
  const auto vocabulary_size = static_cast<std::uint32_t>(options.vocabulary_size);
  run::Progress progress("learning merges", "tokens", vocabulary_size, true);
  const io::tokenizer::Tokenizer tokenizer =
      trainer.train(vocabulary_size, [&](std::uint32_t tokens) { progress.update(tokens); });
  progress.finish(tokenizer.vocabulary_size());
  output.write(tokenizer.to_json());
  output.commit();
  if (tokenizer.vocabulary_size() < vocabulary_size) {
    run::say(fmt::format(
        "tokenizer train: the text yields only {} tokens of the {} asked for: no pair of tokens is left that "
        "occurs twice; more text yields more\n",
        tokenizer.vocabulary_size(), vocabulary_size));
  }
  run::say(fmt::format("wrote '{}': {} tokens, fingerprint {}\n", options.output, tokenizer.vocabulary_size(),
                       tokenizer.fingerprint()));
}

}  // namespace

failure::ExitCode run_tokenizer_train(const Arguments& arguments) {
  TrainOptions values;
  CommandOptions options(
      "chainrule tokenizer train --input PATH... --vocabulary-size N --output tokenizer.json",
      "Learns a byte-level BPE tokenizer with GPT-2's splitting pattern: the 256 bytes, the merges of the pairs seen\n"
      "most often, and end-of-text. The same text gives the same tokenizer. Memory is bounded: of at most two million\n"
      "distinct pieces of text the rarest are forgotten. Text that yields fewer tokens than asked for gives a smaller\n"
      "vocabulary, and a message says so.\n" +
          std::string(TextFiles::help()));
  auto& training = options.group("Training");
  training.add_options()(
      "input", po::value(&values.inputs)->required()->multitoken()->composing()->value_name("PATH..."),
      "files and folders, in order")("vocabulary-size", po::value(&values.vocabulary_size)->required()->value_name("N"),
                                     "tokens, at least 257: the 256 bytes and end-of-text are among them")(
      "output", po::value(&values.output)->required()->value_name("FILE"),
      "the tokenizer.json to write; nothing may be there yet");
  values.text_files.add_to(training);
  if (!options.parse(arguments)) return failure::ExitCode::done;
  if (values.vocabulary_size < io::tokenizer::TokenizerTrainer::kSmallestVocabulary ||
      values.vocabulary_size > kLargestVocabulary) {
    throw failure::Error(
        failure::ExitCode::usage,
        fmt::format("--vocabulary-size {}: give {} (the bytes and end-of-text) to {}", values.vocabulary_size,
                    io::tokenizer::TokenizerTrainer::kSmallestVocabulary, kLargestVocabulary));
  }
  train(values);
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
