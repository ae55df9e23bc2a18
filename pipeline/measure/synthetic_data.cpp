#include "pipeline/measure/synthetic_data.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/tokenizer/trainer.h"
#include "io/tokens/dataset_index.h"
#include "io/tokens/shard_writer.h"

namespace chainrule::pipeline::measure {

std::string generated_text(std::size_t bytes) {
  std::mt19937_64 random(1);
  std::vector<std::string> words;
  for (int i = 0; i < 20'000; ++i) {
    std::string word;
    const auto letters = 1 + random() % 5 + random() % 5;
    for (std::uint64_t letter = 0; letter < letters; ++letter) {
      const auto row = random() % 13;  // before the next is drawn, whoever compiles this
      word += "etaoinshrdlucmfwypvbgkjqxz"[row + random() % 14];
    }
    words.push_back(std::move(word));
  }
  std::string text;
  std::uniform_real_distribution<double> uniform(0, 1);
  while (text.size() < bytes) {
    // Ranks fall off as 1/rank, like those of words in English (Zipf 1949).
    const auto rank = static_cast<std::size_t>(std::exp(uniform(random) * std::log(20'000.0))) - 1;
    text += words[std::min(rank, words.size() - 1)];
    const auto end = random() % 24;
    text += end == 0 ? ".\n" : end == 1 ? ". " : end == 2 ? ", " : " ";
  }
  text.resize(bytes);
  return text;
}

void write_random_data_set(const std::filesystem::path& folder, std::uint32_t vocabulary_size, std::uint64_t tokens) {
  std::filesystem::create_directories(folder);
  // Nobody decodes these tokens: the smallest tokenizer there is stands in for one of this vocabulary.
  io::tokenizer::TokenizerTrainer trainer;
  trainer.add("random tokens");
  const io::tokenizer::Tokenizer tokenizer =
      trainer.train(io::tokenizer::TokenizerTrainer::kSmallestVocabulary, [](std::uint32_t) {});
  tokenizer.save(folder / "tokenizer.json");

  io::tokens::DataSetIndex index;
  index.header = {tokenizer.fingerprint(), vocabulary_size, 0};
  index.tokenizer_digest = io::files::file_digest(folder / "tokenizer.json");
  io::tokens::ShardDocuments documents;
  documents.domains = {"default"};
  std::vector<std::uint32_t> ids(tokens);
  std::mt19937 random(1);
  std::uniform_int_distribution<std::uint32_t> any(1, vocabulary_size - 1);
  for (std::uint64_t i = 0; i < tokens; ++i) {
    const bool ends = i % 1000 == 999 || i + 1 == tokens;
    ids[i] = ends ? 0 : any(random);
    if (i % 1000 == 0) documents.offsets.push_back(i);
  }
  documents.offsets.push_back(tokens);
  const std::size_t count = documents.offsets.size() - 1;
  documents.bytes.assign(count, 4000);
  documents.words.assign(count, 700);
  documents.text_hash.assign(count, 0);
  documents.domain.assign(count, 0);
  io::tokens::ShardSources sources;
  sources.sources = {"random"};
  sources.source.assign(count, 0);
  sources.line.assign(count, 0);
  const std::string name = "random-00000.h5";
  io::tokens::ShardWriter writer(folder / name, index.header, tokens, 0);
  writer.append(ids);
  writer.finish(documents, sources);

  index.domains = {{"default", count, tokens, 4000 * count, 700 * count}};
  index.shards = {
      {name, tokens, count, std::filesystem::file_size(folder / name), io::files::file_digest(folder / name)}};
  io::files::write_file_atomically(folder / "index.json", index.to_json());
}

}  // namespace chainrule::pipeline::measure
