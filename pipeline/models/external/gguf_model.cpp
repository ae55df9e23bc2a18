#include "pipeline/models/external/gguf_model.h"

#include <fmt/format.h>

#include <optional>
#include <set>

#include "io/error.h"
#include "io/quote.h"
#include "io/tensors/gguf/file.h"
#include "io/tokenizer/gguf_vocabulary.h"
#include "model/error.h"
#include "pipeline/models/external/tensor_names.h"

namespace chainrule::pipeline::models::external {
namespace {

using io::tensors::gguf::Metadata;
using model::shape::Config;
using model::shape::RotaryScaling;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", name, why));
}

/// The keys of an architecture, asked for one by one.
class Keys {
 public:
  Keys(const Metadata& metadata, std::string architecture, std::string name)
      : metadata_(metadata), prefix_(std::move(architecture) + "."), name_(std::move(name)) {}

  bool has(const std::string& key) { return metadata_.contains(asked(key)); }
  std::int64_t whole_number(const std::string& key) {
    const std::int64_t number = metadata_.whole_number(asked(key));
    constexpr std::int64_t kMost = std::int64_t{1} << 40;  // see ConfigFields
    if (number < -kMost || number > kMost) refuse_key(key, "is too large");
    return number;
  }
  std::int64_t whole_number(const std::string& key, std::int64_t otherwise) {
    return has(key) ? whole_number(key) : otherwise;
  }
  double number(const std::string& key, double otherwise) {
    return has(key) ? metadata_.number(prefix_ + key) : otherwise;
  }
  std::string text(const std::string& key, const std::string& otherwise) {
    return has(key) ? std::string(metadata_.text(prefix_ + key)) : otherwise;
  }
  [[noreturn]] void refuse_key(const std::string& key, const std::string& why) const {
    refuse(name_, fmt::format("the key '{}{}' {}", prefix_, key, why));
  }
  void require(const std::string& key, std::int64_t value) {
    if (whole_number(key, value) != value) refuse_key(key, fmt::format("of other than {} is not built", value));
  }
  /// The keys of this architecture that nobody asked for.
  void refuse_others() const {
    for (const std::string& key : metadata_.keys()) {
      if (key.starts_with(prefix_) && !asked_.contains(key)) {
        refuse(name_, fmt::format("the key {} asks for something that is not built", io::in_quotes(key)));
      }
    }
  }

 private:
  const std::string& asked(const std::string& key) { return *asked_.insert(prefix_ + key).first; }

  const Metadata& metadata_;
  std::string prefix_;
  std::string name_;
  std::set<std::string> asked_;
};

void read_rotary(Keys& keys, Config& config) {
  config.position_encoding = model::shape::PositionEncoding::rotary;
  config.rotary.theta = keys.number("rope.freq_base", 10'000);
  keys.require("rope.dimension_count", model::shape::attention_shape(config).head_width);
  const std::string type = keys.text("rope.scaling.type", "none");
  RotaryScaling& scaling = config.rotary.scaling;
  scaling.factor = keys.number("rope.scaling.factor", keys.number("rope.scale_linear", 1));
  if (type == "yarn") keys.refuse_key("rope.scaling.type", "of yarn is read from Hugging Face models only");
  if (type != "none" && type != "linear") keys.refuse_key("rope.scaling.type", "asks for something that is not built");
  if (scaling.factor == 1) return;
  scaling.kind = RotaryScaling::Kind::linear;
}

Config read_llama(Keys& keys, const std::string& architecture, const io::tensors::StoredTensors& tensors) {
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
  config.normalization_epsilon = static_cast<float>(keys.number("attention.layer_norm_rms_epsilon", 1e-6));
  config.attention_window = keys.whole_number("attention.sliding_window", 0);
  config.tied_head = !tensors.contains("output.weight");
  keys.require("expert_count", 0);
  keys.require("expert_used_count", 0);
  if (config.heads < 1 || (config.head_width == 0 && config.width % config.heads != 0)) {
    keys.refuse_key("attention.head_count", "does not divide the width");
  }
  read_rotary(keys, config);
  return config;
}

Config read_gpt2(Keys& keys) {
  Config config;
  config.layers = keys.whole_number("block_count");
  config.heads = keys.whole_number("attention.head_count");
  config.width = keys.whole_number("embedding_length");
  config.feed_forward_width = keys.whole_number("feed_forward_length", 4 * config.width);
  config.sequence_length = keys.whole_number("context_length");
  config.normalization_epsilon = static_cast<float>(keys.number("attention.layer_norm_epsilon", 1e-5));
  return config;
}

std::optional<std::uint32_t> token_id(const Metadata& metadata, const std::string& key) {
  if (!metadata.contains(key)) return std::nullopt;
  const std::int64_t id = metadata.whole_number(key);
  return id <= UINT32_MAX ? std::optional(static_cast<std::uint32_t>(id)) : std::nullopt;
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
    for (const std::int64_t type : metadata.whole_numbers(prefix + "token_type")) {
      vocabulary.token_types.push_back(static_cast<std::int32_t>(type));
    }
  }
  vocabulary.bos_token_id = token_id(metadata, prefix + "bos_token_id");
  vocabulary.eos_token_id = token_id(metadata, prefix + "eos_token_id");
  vocabulary.unknown_token_id = token_id(metadata, prefix + "unknown_token_id");
  vocabulary.add_bos_token = truth(metadata, prefix + "add_bos_token", vocabulary.model == "llama");
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
  Keys keys(metadata, architecture, name);
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
  model.map = architecture == "gpt2" ? gguf_gpt2_map(model.config) : gguf_map(model.config, architecture == "llama");
  // Older converters repeat GPT-2's embedding as its head.
  const bool repeats_head = model.config.tied_head && file->contains("output.weight");
  if (repeats_head) require_same_tensor(*file, "output.weight", "token_embd.weight", name);
  require_all_used(
      *file, model.map, [&](std::string_view tensor) { return repeats_head && tensor == "output.weight"; }, name);
  if (metadata.contains("tokenizer.ggml.model")) {
    model.load_tokenizer = [file, path] {
      return io::tokenizer::Tokenizer::from_gguf(vocabulary_of(file->metadata(), path));
    };
  }
  model.tensors = std::move(file);
  return model;
}

}  // namespace chainrule::pipeline::models::external
