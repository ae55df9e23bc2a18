#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "io/files/atomic_file.h"
#include "io/tokenizer/tokenizer.h"
#include "io/tokenizer/trainer.h"
#include "pipeline/measure/measures.h"
#include "pipeline/measure/synthetic_data.h"
#include "pipeline/measure/timing.h"
#include "pipeline/windows/batch_buffer.h"
#include "pipeline/windows/sample_source.h"

namespace chainrule::pipeline::measure {

void measure_tokenizing(const BenchmarkOptions& options, BenchmarkResult& result) {
  const std::string text =
      options.text.empty() ? generated_text(8'000'000) : io::files::read_file_or_pipe(options.text);
  const auto tokenizer = [&] {
    if (!options.tokenizer.empty()) return io::tokenizer::Tokenizer::load(options.tokenizer);
    io::tokenizer::TokenizerTrainer trainer;
    trainer.add(std::string_view(text).substr(0, 1'000'000));
    return trainer.train(4096, [](std::uint32_t) {});
  }();
  std::vector<io::tokenizer::TokenId> ids;
  std::vector<double> rates;
  for (int round = 0; round < options.rounds; ++round) {
    ids.clear();
    rates.push_back(static_cast<double>(text.size()) / 1e6 / seconds_of([&] { tokenizer.encode(text, ids); }));
  }
  result.tokenize_megabytes_per_second = median(rates);
  result.tokenize_subject = fmt::format(
      "{} on {}", options.tokenizer.empty() ? "a tokenizer of 4,096 trained for it" : options.tokenizer.string(),
      options.text.empty() ? "generated text" : options.text.string());
}

void measure_reading(const BenchmarkOptions& options, const io::tokens::TokenStream& data,
                     const windows::Windows& windows, BenchmarkResult& result) {
  std::vector<double> rates;
  std::vector<std::uint32_t> block(std::size_t{1} << 20U);
  for (int round = 0; round < options.rounds; ++round) {
    const double seconds = seconds_of([&] {
      for (std::uint64_t at = 0; at < data.token_count(); at += block.size()) {
        data.read(at, std::span(block).first(std::min<std::uint64_t>(block.size(), data.token_count() - at)));
      }
    });
    rates.push_back(static_cast<double>(data.token_count()) / seconds);
  }
  result.read_tokens_per_second = median(rates);
  windows::BatchBuffer window;
  const windows::PermutedWindows samples(windows, 1);
  constexpr std::uint64_t kReads = 200;
  const double seconds = seconds_of([&] {
    for (std::uint64_t sample = 0; sample < kReads; ++sample) {
      window.begin(options.config.sequence_length, data.start_token());
      window.add(data, samples.sample(sample).window);
    }
  });
  result.window_read_seconds = seconds / static_cast<double>(kReads);
}

}  // namespace chainrule::pipeline::measure
