#include "pipeline/models/external/external_model.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <fstream>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/tensors/llmc/file.h"
#include "io/tensors/safetensors/open.h"
#include "model/error.h"
#include "pipeline/models/external/gguf_model.h"
#include "pipeline/models/external/hugging_face_config.h"
#include "pipeline/models/external/tensor_names.h"

namespace chainrule::pipeline::models::external {
namespace {

namespace fs = std::filesystem;
using io::tensors::StoredTensors;

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", io::path_in_quotes(path), why));
}

/// What is computed, not learned (GPT-2's causal masks, rotary frequencies), and a tied head, which is checked.
bool may_be_there(std::string_view name) {
  return name == "lm_head.weight" || name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") ||
         name.ends_with("rotary_emb.inv_freq");
}

constexpr const char* kAdapter = "adapter_config.json";

ExternalModel open_hugging_face(const fs::path& path) {
  const fs::path config_path = path / "config.json";
  if (io::files::is_there(path / kAdapter)) refuse(path / kAdapter, "an adapter is not built: merge it with its model");
  ExternalModel model{.kind = "Hugging Face model", .path = path};
  model.config = read_hugging_face_config(io::files::read_untrusted_json(config_path), io::path_in_quotes(config_path));
  model.tensors = std::make_shared<io::tensors::MappedTensors>(io::tensors::safetensors::open(path));
  require_tensors_for(model.config.layers, *model.tensors, io::path_in_quotes(path));
  const bool gpt2 = model.config.position_encoding == model::shape::PositionEncoding::learned;
  // A model that was saved without its head has no prefix.
  const std::string whole = gpt2 ? "transformer." : "model.";
  const std::string prefix = model.tensors->contains(whole + (gpt2 ? "wte" : "embed_tokens") + ".weight") ? whole : "";
  model.map = gpt2 ? hugging_face_gpt2_map(model.config, prefix) : hugging_face_llama_map(model.config, prefix);
  if (model.config.tied_head && model.tensors->contains("lm_head.weight")) {
    require_same_tensor(*model.tensors, "lm_head.weight", model.map["token_embedding.weight"].front().tensor,
                        io::path_in_quotes(path));
  }
  require_all_used(*model.tensors, model.map, may_be_there, io::path_in_quotes(path));
  model.load_tokenizer = [path] { return io::tokenizer::Tokenizer::load(path); };
  return model;
}

ExternalModel open_llmc(const fs::path& path) {
  auto file = std::make_shared<io::tensors::llmc::LlmcFile>(io::tensors::llmc::LlmcFile::open(path));
  const io::tensors::llmc::Header& header = file->header();
  ExternalModel model{.kind = "llm.c model", .path = path};
  model.config.layers = header.layers;
  model.config.heads = header.heads;
  model.config.width = header.width;
  model.config.feed_forward_width = 4 * model.config.width;
  model.config.vocabulary_size = header.vocabulary;
  model.config.sequence_length = header.context;
  try {
    model::shape::validate(model.config);
  } catch (const model::Error& error) {
    refuse(path, error.what());
  }
  model.map = llmc_map(model.config);
  model.tensors = std::move(file);
  return model;
}

/// The first four bytes of a file; zero where it is shorter.
std::uint32_t magic_of(const fs::path& path) {
  std::array<char, 4> bytes{};
  std::ifstream(path, std::ios::binary).read(bytes.data(), bytes.size());
  std::uint32_t magic = 0;
  std::memcpy(&magic, bytes.data(), sizeof magic);
  return magic;
}

}  // namespace

std::optional<ExternalModel> open_external_model(const fs::path& path) {
  constexpr std::uint32_t kGguf = 0x46554747;  // "GGUF"
  constexpr std::uint32_t kLlmc = 20'240'326;
  switch (io::files::presence_of(path)) {
    case io::files::Presence::folder:
      if (io::files::is_there(path / "config.json")) return open_hugging_face(path);
      return std::nullopt;
    case io::files::Presence::file:
      if (magic_of(path) == kGguf) return open_gguf(path);
      if (magic_of(path) == kLlmc) return open_llmc(path);
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::shared_ptr<const model::weights::StoredWeights> weights_of(const ExternalModel& external) {
  auto weights = std::make_shared<model::weights::StoredWeights>(
      store_weights(*external.tensors, model::shape::ParameterTable(external.config), external.map,
                    io::path_in_quotes(external.path)));
  weights->keep(external.tensors);
  return weights;
}

}  // namespace chainrule::pipeline::models::external
