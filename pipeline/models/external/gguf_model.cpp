#include "pipeline/models/external/gguf_model.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "io/error.h"
#include "io/quote.h"
#include "io/tensors/gguf/file.h"
#include "io/tokenizer/gguf_vocabulary.h"
#include "model/error.h"
#include "pipeline/models/external/gguf_keys.h"
#include "pipeline/models/external/gguf_rotary.h"
#include "pipeline/models/external/tensor_names.h"

namespace chainrule::pipeline::models::external {
namespace {

using io::tensors::gguf::Metadata;
using model::shape::Config;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", name, why));
}

Config read_llama(GgufKeys& keys, const std::string& architecture, const io::tensors::StoredTensors& tensors) {
  Config config;
  config.normalization = model::shape::Normalization::rms_norm;
  config.activation = model::shape::Activation::swiglu;
  config.biases = architecture == "qwen2" ? model::shape::Biases::query_key_value : model::shape::Biases::none;
  config.query_key_norm = architecture == "qwen3";
  config.layers = keys.whole_number("block_count");
  config.heads = keys.whole_number("attention.head_count");
  config.key_value_heads = keys.whole_number("attention.head_count_kv", config.heads);
  config.width = keys.whole_number("embedding_length");
  config.head_width = keys.whole_number("attention.key_length", 0);
  keys.require("attention.value_length", config.head_width);
  config.feed_forward_width = keys.whole_number("feed_forward_length");
  config.sequence_length = keys.whole_number("context_length");
  config.normalization_epsilon = static_cast<float>(keys.number("attention.layer_norm_rms_epsilon"));
  config.tied_head = !tensors.contains("output.weight");
  // llama.cpp reads it for other architectures only.
  const std::int64_t window = keys.whole_number("attention.sliding_window", 0);
  if (window != 0 && window < config.sequence_length) {
    keys.refuse("attention.sliding_window",
                fmt::format("of {} is what llama.cpp does not heed, and is not built", window));
  }
  keys.require("expert_count", 0);
  keys.require("expert_used_count", 0);
  if (config.heads < 1 || (config.head_width == 0 && config.width % config.heads != 0)) {
    keys.refuse("attention.head_count", "does not divide the width");
  }
  read_gguf_rotary(keys, tensors, architecture == "llama", config);
  return config;
}

Config read_gpt2(GgufKeys& keys) {
  Config config;
  config.layers = keys.whole_number("block_count");
  config.heads = keys.whole_number("attention.head_count");
  config.width = keys.whole_number("embedding_length");
  config.feed_forward_width = keys.whole_number("feed_forward_length", 4 * config.width);
  config.sequence_length = keys.whole_number("context_length");
  config.normalization_epsilon = static_cast<float>(keys.number("attention.layer_norm_epsilon"));
  return config;
}

std::optional<std::uint32_t> token_id(const Metadata& metadata, const std::string& key, const std::string& name) {
  if (!metadata.contains(key)) return std::nullopt;
  const std::int64_t id = metadata.whole_number(key);
  if (!std::in_range<std::uint32_t>(id)) refuse(name, fmt::format("the key '{}' is {}, which is no token", key, id));
  return static_cast<std::uint32_t>(id);
}

bool truth(const Metadata& metadata, const std::string& key, bool otherwise) {
  return metadata.contains(key) ? metadata.boolean(key) : otherwise;
}

io::tokenizer::GgufVocabulary vocabulary_of(const Metadata& metadata, const std::filesystem::path& path) {
  const std::string prefix = "tokenizer.ggml.";
  io::tokenizer::GgufVocabulary vocabulary;
  vocabulary.path = path;
  vocabulary.model = metadata.text(prefix + "model");
  if (metadata.contains(prefix + "pre")) vocabulary.pre = metadata.text(prefix + "pre");
  const auto texts = [&](const char* key, std::vector<std::string>& into) {
    if (!metadata.contains(prefix + key)) return;
    for (const std::string_view text : metadata.texts(prefix + key)) into.emplace_back(text);
  };
  texts("tokens", vocabulary.tokens);
  texts("merges", vocabulary.merges);
  if (metadata.contains(prefix + "scores")) {
    for (const double score : metadata.numbers(prefix + "scores")) {
      vocabulary.scores.push_back(static_cast<float>(score));
    }
  }
  if (metadata.contains(prefix + "token_type")) {
    vocabulary.token_types = metadata.whole_numbers(prefix + "token_type");
  }
  const std::string name = io::path_in_quotes(path);
  vocabulary.bos_token_id = token_id(metadata, prefix + "bos_token_id", name);
  vocabulary.eos_token_id = token_id(metadata, prefix + "eos_token_id", name);
  vocabulary.unknown_token_id = token_id(metadata, prefix + "unknown_token_id", name);
  if (metadata.contains(prefix + "add_bos_token")) {
    vocabulary.add_bos_token = metadata.boolean(prefix + "add_bos_token");
  }
  if (vocabulary.model == "gpt2" && !metadata.contains(prefix + "merges")) {
    refuse(name, fmt::format("the key '{}merges' is not there, without which a text would be cut into bytes", prefix));
  }
  vocabulary.add_eos_token = truth(metadata, prefix + "add_eos_token", false);
  vocabulary.add_space_prefix = truth(metadata, prefix + "add_space_prefix", true);
  return vocabulary;
}

}  // namespace

ExternalModel open_gguf(const std::filesystem::path& path) {
  const std::string name = io::path_in_quotes(path);
  auto file = std::make_shared<io::tensors::gguf::GgufFile>(io::tensors::gguf::GgufFile::open(path));
  const Metadata& metadata = file->metadata();
  const std::string architecture(metadata.text("general.architecture"));
  GgufKeys keys(metadata, architecture, name);
  ExternalModel model{.kind = "GGUF model", .path = path};
  if (architecture == "llama" || architecture == "qwen2" || architecture == "qwen3") {
    model.config = read_llama(keys, architecture, *file);
  } else if (architecture == "gpt2") {
    model.config = read_gpt2(keys);
  } else {
    refuse(name, fmt::format("the key 'general.architecture' asks for {}; there are llama, qwen2, qwen3 and gpt2",
                             io::in_quotes(architecture)));
  }
  // Rows of the embedding; the key may be absent.
  const io::tensors::StoredTensor embedding = file->tensor("token_embd.weight");
  if (embedding.shape.size() != 2) refuse(name, "the tensor 'token_embd.weight' is no matrix");
  model.config.vocabulary_size = embedding.shape.front();
  keys.require("vocab_size", model.config.vocabulary_size);
  keys.refuse_others();
  try {
    model::shape::validate(model.config);
  } catch (const model::Error& error) {
    refuse(name, error.what());
  }
  require_tensors_for(model.config.layers, *file, name);
  model.map = architecture == "gpt2" ? gguf_gpt2_map(model.config) : gguf_map(model.config, architecture == "llama");
  // Older converters repeat GPT-2's embedding as its head.
  const bool repeats_head = model.config.tied_head && file->contains("output.weight");
  if (repeats_head) require_same_tensor(*file, "output.weight", "token_embd.weight", name);
  const auto has_been_read = [&](std::string_view tensor) {
    return (repeats_head && tensor == "output.weight") || (architecture == "llama" && tensor == kFrequencyFactors);
  };
  require_all_used(*file, model.map, has_been_read, name);
  if (metadata.contains("tokenizer.ggml.model")) {
    model.load_tokenizer = [file, path] {
      return io::tokenizer::Tokenizer::from_gguf(vocabulary_of(file->metadata(), path));
    };
  }
  model.tensors = std::move(file);
  return model;
}

}  // namespace chainrule::pipeline::models::external
