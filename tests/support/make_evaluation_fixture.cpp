// make_evaluation_fixture FOLDER: writes small checkpoints and data sets for the tests of `chainrule evaluate`:
//   model/, run/checkpoints/step-00000003/   a random decoder, and a run that holds the same one
//   model-nan/                               the same with one weight that is no number
//   baseline/  another decoder of that vocabulary      baseline-short/  one of a shorter context
//   baseline-wide/  one of a larger vocabulary      baseline-other/  one of another tokenizer
//   data/      ragged documents in two domains over three shards, one of them empty
//   data-other/  data under another tokenizer      data-wide/  data with a larger vocabulary
//   data-empty/  no document      data-blank/  documents without text      pair/train, pair/held-out
#include <cstdio>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "model/arena.h"
#include "model/shape/initialise.h"
#include "model/shape/parameters.h"
#include "pipeline/models/checkpoint_places.h"
#include "tests/support/made_checkpoint.h"
#include "tests/support/made_data_set.h"

namespace chainrule::tests {
namespace {

constexpr std::uint32_t kVocabulary = 97;
const std::string kFingerprint = "00112233445566778899aabbccddeeff";

const std::string kOtherFingerprint = "ffeeddccbbaa99887766554433221100";

void write_baseline(const std::filesystem::path& folder, std::int64_t context_length, std::uint32_t vocabulary,
                    const std::string& fingerprint) {
  model::shape::Config config;
  config.layers = 1;
  config.heads = 3;
  config.width = 48;
  config.feed_forward_width = 96;
  config.vocabulary_size = vocabulary;
  config.sequence_length = context_length;
  const model::shape::ParameterTable table(config);
  model::Arena arena(table.arena_size());
  model::shape::initialise(config, table, 8, arena.span());
  for (float& value : arena.span()) value *= 2;
  tests::write_checkpoint(folder, {config, arena.span(), 5, fingerprint});
}

void write_model(const std::filesystem::path& folder, bool broken) {
  model::shape::Config config;
  config.layers = 2;
  config.heads = 2;
  config.width = 64;
  config.feed_forward_width = 256;
  config.vocabulary_size = kVocabulary;
  config.sequence_length = 32;
  const model::shape::ParameterTable table(config);
  model::Arena arena(table.arena_size());
  model::shape::initialise(config, table, 7, arena.span());
  // Larger weights than a fresh model's, so that contexts matter.
  for (float& value : arena.span()) value *= 2;
  if (broken)
    arena.span()[static_cast<std::size_t>(table.parameters().front().offset)] = std::numeric_limits<float>::quiet_NaN();
  tests::write_checkpoint(folder, {config, arena.span(), 3, kFingerprint});
}

MadeDataSet data_set(const std::vector<std::vector<std::uint64_t>>& shards) {
  MadeDataSet set;
  set.vocabulary_size = kVocabulary;
  set.end_of_text = kVocabulary - 1;
  set.tokenizer_fingerprint = kFingerprint;
  std::mt19937 random(23);
  std::uint64_t documents = 0;
  for (const auto& shard : shards) {
    auto& made = set.shards.emplace_back();
    for (const std::uint64_t tokens : shard) {
      MadeDocument document;
      for (std::uint64_t i = 0; i < tokens; ++i) {
        document.tokens.push_back(static_cast<std::uint32_t>(random() % (kVocabulary - 1)));
      }
      document.domain = documents % 3 == 0 ? "prose" : "code, \"c++\"";
      document.bytes = 4 * tokens;
      document.words = 1 + tokens / 2;
      document.file = documents % 2 == 0 ? "a, b.txt" : "lines.jsonl";
      document.line = documents % 2 == 0 ? 0 : documents;
      made.push_back(document);
      ++documents;
    }
  }
  return set;
}

void write_fixture(const std::filesystem::path& folder) {
  write_model(folder / "model", false);
  write_model(pipeline::models::checkpoint_folder(folder / "run", 3), false);
  write_model(folder / "model-nan", true);
  write_baseline(folder / "baseline", 40, kVocabulary, kFingerprint);
  write_baseline(folder / "baseline-short", 16, kVocabulary, kFingerprint);
  write_baseline(folder / "baseline-wide", 32, kVocabulary + 1, kFingerprint);
  write_baseline(folder / "baseline-other", 32, kVocabulary, kOtherFingerprint);
  MadeDataSet data = data_set({{100, 0, 1, 31, 32, 33, 700}, {}, {2, 64, 5, 5, 900, 0}});
  write_data_set(folder / "data", data);
  data.tokenizer_fingerprint = kOtherFingerprint;
  write_data_set(folder / "data-other", data);
  data.tokenizer_fingerprint = kFingerprint;
  data.vocabulary_size = kVocabulary + 1;
  write_data_set(folder / "data-wide", data);
  write_data_set(folder / "data-empty", data_set({{}}));
  write_data_set(folder / "data-blank", data_set({{0, 0}}));
  write_data_set(folder / "pair" / "train", data_set({{9}}));
  write_data_set(folder / "pair" / "held-out", data_set({{3}}));
}

}  // namespace
}  // namespace chainrule::tests

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_evaluation_fixture FOLDER\n", stderr);
    return 64;
  }
  try {
    chainrule::tests::write_fixture(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
