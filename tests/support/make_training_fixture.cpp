// make_training_fixture FOLDER: writes small data sets for the tests of `chainrule pretrain`:
//   pair/train, pair/held-out   text with a pattern to learn, in three shards, one of them empty
//   extra/train, extra/held-out more text of the same tokenizer
//   other/                      the same text under another tokenizer
//   short/                      fewer tokens than a window of 16
//   many/                       a vocabulary of thousands, most of which no micro-batch holds
//   poisoned/                   text with a pattern, and one place in it without
//   mistaken/                   a tokenizer.json that is not the one of the tokens
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "io/files/atomic_file.h"
#include "io/tokenizer/trainer.h"
#include "tests/support/made_data_set.h"

namespace chainrule::tests {
namespace {

/// Sentences of a small grammar: a few hundred steps find it.
std::string text(std::uint32_t seed, int sentences) {
  static const std::vector<std::string> subjects = {"the rank", "a lane", "every block", "the gradient", "this shard"};
  static const std::vector<std::string> verbs = {" adds", " sends", " keeps", " sums", " waits for"};
  static const std::vector<std::string> objects = {" the loss", " one arena", " its tokens", " a bucket",
                                                   " all weights"};
  std::mt19937 random(seed);
  std::string made;
  for (int i = 0; i < sentences; ++i) {
    // Drawn one after the other: within one expression compilers differ in which comes first.
    const std::string& object = objects[random() % 5];
    const std::string& verb = verbs[random() % 5];
    made += subjects[random() % 5] + verb + object + ".\n";
  }
  return made;
}

/// Words that nobody knows.
std::string many_words(std::uint32_t seed, int words) {
  std::mt19937 random(seed);
  std::string made;
  for (int i = 0; i < words; ++i) {
    for (int letter = 0; letter < 6; ++letter) made += static_cast<char>('a' + random() % 26);
    made += ' ';
  }
  return made;
}

io::tokenizer::Tokenizer tokenizer(std::uint32_t vocabulary_size, const std::string& content) {
  io::tokenizer::TokenizerTrainer trainer;
  trainer.add(content);
  return trainer.train(vocabulary_size, [](std::uint32_t) {});
}

MadeDocument document(const io::tokenizer::Tokenizer& tokenizer, const std::string& content) {
  MadeDocument made;
  tokenizer.encode(content, made.tokens);
  made.bytes = content.size();
  return made;
}

MadeDataSet empty_set(const io::tokenizer::Tokenizer& tokenizer, const std::string& tokenizer_json) {
  MadeDataSet set;
  set.vocabulary_size = tokenizer.vocabulary_size();
  set.end_of_text = tokenizer.end_of_text();
  set.tokenizer_fingerprint = tokenizer.fingerprint();
  set.tokenizer_json = tokenizer_json;
  return set;
}

/// Documents of the sizes given, in shards.
MadeDataSet data_set(const io::tokenizer::Tokenizer& tokenizer, const std::string& tokenizer_json, std::uint32_t seed,
                     const std::vector<std::vector<int>>& shards) {
  MadeDataSet set = empty_set(tokenizer, tokenizer_json);
  for (const auto& shard : shards) {
    auto& made = set.shards.emplace_back();
    for (const int sentences : shard) made.push_back(document(tokenizer, text(++seed, sentences)));
  }
  return set;
}

std::string json_of(const io::tokenizer::Tokenizer& tokenizer, const std::filesystem::path& beside) {
  tokenizer.save(beside);
  return io::files::read_file(beside);
}

void write_fixture(const std::filesystem::path& folder) {
  const io::tokenizer::Tokenizer made = tokenizer(300, text(1, 200));
  const io::tokenizer::Tokenizer other = tokenizer(290, text(1, 200));
  const io::tokenizer::Tokenizer many = tokenizer(5000, many_words(1, 4000));
  const std::string json = json_of(made, folder / "tokenizer.json");
  const std::string other_json = json_of(other, folder / "other-tokenizer.json");
  write_data_set(folder / "pair" / "train", data_set(made, json, 100, {{40, 1, 0, 25}, {}, {60, 90, 3}}));
  write_data_set(folder / "pair" / "held-out", data_set(made, json, 200, {{12, 5}}));
  write_data_set(folder / "extra" / "train", data_set(made, json, 300, {{70}, {30, 20}}));
  write_data_set(folder / "extra" / "held-out", data_set(made, json, 400, {{9}}));
  write_data_set(folder / "other", data_set(other, other_json, 100, {{40, 1, 0, 25}}));
  write_data_set(folder / "short", data_set(made, json, 100, {{1}}));
  MadeDataSet unknown = empty_set(many, json_of(many, folder / "many-tokenizer.json"));
  unknown.shards = {{document(many, many_words(2, 1000))}};
  write_data_set(folder / "many" / "train", unknown);
  MadeDataSet poisoned = empty_set(made, json);
  poisoned.shards = {{document(made, text(7, 600)), document(made, many_words(3, 4)), document(made, text(8, 600))}};
  write_data_set(folder / "poisoned", poisoned);
  write_data_set(folder / "mistaken", data_set(made, other_json, 100, {{40}}));
}

}  // namespace
}  // namespace chainrule::tests

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_training_fixture FOLDER\n", stderr);
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
