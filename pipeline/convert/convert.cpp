#include "pipeline/convert/convert.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/atomic_output.h"
#include "io/files/digest.h"
#include "io/files/json_text.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "io/tensors/llmc/file.h"
#include "io/tensors/manifest.h"
#include "io/tensors/model_file.h"
#include "io/tensors/safetensors/write.h"
#include "pipeline/convert/folder_beside.h"
#include "pipeline/convert/formats.h"
#include "pipeline/convert/model_tensors.h"
#include "pipeline/models/external/external_model.h"
#include "pipeline/models/external/tensor_names.h"
#include "pipeline/models/model_description.h"
#include "pipeline/models/parameter_values.h"
#include "pipeline/models/text_model.h"

namespace chainrule::pipeline::convert {
namespace {

namespace fs = std::filesystem;
using model::shape::Parameter;
using model::shape::ParameterTable;
using models::TextModel;

[[noreturn]] void refuse(io::ErrorKind kind, const fs::path& path, const std::string& why) {
  throw io::Error(kind, fmt::format("{} {}", io::path_in_quotes(path), why));
}

/// XXH3-128 of the arena that the weights would make.
std::string hash_of_arena(const model::weights::Weights& weights, const ParameterTable& table) {
  io::files::Digest digest;
  const auto add = [&](const std::vector<float>& values) {
    digest.update(values.data(), values.size() * sizeof(float));
  };
  std::int64_t at = 0;
  const auto pad_to = [&](std::int64_t offset) {
    add(std::vector<float>(static_cast<std::size_t>(offset - at)));
    at = offset;
  };
  constexpr std::int64_t kSlabElements = 1 << 20;
  for (const Parameter& parameter : table.parameters()) {
    pad_to(parameter.offset);
    const models::Section all = models::whole(parameter);
    const std::int64_t most = std::max<std::int64_t>(kSlabElements / all.columns, 1);
    for (std::int64_t row = 0; row < all.rows; row += most) {
      const models::Section slab = {row, std::min(most, all.rows - row), 0, all.columns};
      std::vector<float> values(static_cast<std::size_t>(slab.rows * slab.columns));
      models::read_section(weights, parameter, slab, values.data());
      add(values);
    }
    at += parameter.size();
  }
  pad_to(table.arena_size());
  return digest.hexadecimal();
}

/// What is read from a file or folder that was written must be the model's tokenizer.
void check_tokenizer(const fs::path& path, const TextModel& text_model) {
  if (io::tokenizer::Tokenizer::load(path).fingerprint() == text_model.model.tokenizer_fingerprint) return;
  refuse(io::ErrorKind::input_output, path, "does not read back as the model's tokenizer");
}

void write_tokenizer(const fs::path& path, const TextModel& text_model) {
  text_model.tokenizer.save(path);
  check_tokenizer(path, text_model);
}

void write_json(const fs::path& path, const nlohmann::ordered_json& json) {
  io::files::write_file_atomically(path, io::files::json_text(json, 2) + "\n");
}

void write_library_tokenizer(const fs::path& folder, const TextModel& text_model) {
  write_json(folder / "tokenizer_config.json",
             hugging_face_tokenizer_config(text_model.model.config, text_model.tokenizer));
  io::files::write_file_atomically(folder / "tokenizer.json", text_model.tokenizer.to_library_json());
  check_tokenizer(folder, text_model);
}

/// What is written must be read as the model that it was made of.
void check_read_back(const fs::path& written, const model::shape::Config& config) {
  const auto read = models::external::open_external_model(written);
  if (read && compute_the_same(read->config, config)) return;
  refuse(io::ErrorKind::bad_data, written, "would not be read as the model that it was made of");
}

void write_hugging_face(const TextModel& text_model, const ConvertOptions& options) {
  const models::LoadedModel& model = text_model.model;
  const auto json = hugging_face_config(model.config, text_model.tokenizer, options.encoding);
  const bool gpt2 = model.config.position_encoding == model::shape::PositionEncoding::learned;
  const ParameterTable table(model.config);
  const ModelTensors tensors(model.weights(), table,
                             gpt2 ? models::external::hugging_face_gpt2_map(model.config, "transformer.")
                                  : models::external::hugging_face_llama_map(model.config, "model."));
  FolderBeside folder(options.output);
  write_json(folder.path() / "config.json", json);
  write_library_tokenizer(folder.path(), text_model);
  io::tensors::safetensors::write(folder.path(), tensors, {.encoding = options.encoding});
  check_read_back(folder.path(), model.config);
  folder.publish();
}

/// The tokenizer.json beside an llm.c model, of which no more than one can be.
void check_tokenizer_beside(const fs::path& path, const TextModel& text_model) {
  if (!io::files::is_there(path)) return;
  if (io::tokenizer::Tokenizer::load(path).fingerprint() == text_model.model.tokenizer_fingerprint) return;
  refuse(io::ErrorKind::cannot_create, path,
         "is already there, and is not the model's tokenizer; the tokenizer of an llm.c model lies beside it");
}

void write_llmc(const TextModel& text_model, const ConvertOptions& options) {
  const models::LoadedModel& model = text_model.model;
  const io::tensors::llmc::Header header = llmc_header(model.config, options.encoding);
  const ParameterTable table(model.config);
  const ModelTensors tensors(model.weights(), table, models::external::llmc_map(model.config));
  const fs::path tokenizer = fs::absolute(options.output).parent_path() / "tokenizer.json";
  check_tokenizer_beside(tokenizer, text_model);
  if (!io::files::is_there(tokenizer)) write_tokenizer(tokenizer, text_model);
  io::tensors::llmc::write(options.output, header, tensors);
}

std::string write_checkpoint(const TextModel& text_model, const ConvertOptions& options) {
  const models::LoadedModel& model = text_model.model;
  const ParameterTable table(model.config);
  const std::string hash = hash_of_arena(model.weights(), table);
  FolderBeside folder(options.output);
  io::tensors::write_model_file(folder.path() / "model.h5", ModelTensors(model.weights(), table, own_map(table)));
  write_tokenizer(folder.path() / "tokenizer.json", text_model);
  models::write_model_description(folder.path() / "model.json", {model.config, model.tokenizer_fingerprint, hash, 0});
  std::vector<io::tensors::ManifestEntry> entries;
  for (const char* name : {"model.json", "tokenizer.json", "model.h5"}) {
    entries.push_back(io::tensors::describe_file(folder.path() / name));
  }
  io::tensors::Manifest(folder.path(), entries).write();
  folder.publish();
  return hash;
}

}  // namespace

Converted convert(const ConvertOptions& options) {
  if (options.format == Format::llmc) {
    io::files::require_absent(options.output);
    io::files::make_place_for(options.output);
  } else {
    require_free(options.output);
  }
  const TextModel text_model = models::load_text_model(options.model);
  Converted converted{model::shape::parameter_count(text_model.model.config), {}};
  switch (options.format) {
    case Format::hugging_face:
      write_hugging_face(text_model, options);
      converted.tokenizer_is_ours = !text_model.tokenizer.beyond_library_json().empty();
      break;
    case Format::llmc: write_llmc(text_model, options); break;
    case Format::checkpoint: converted.weights_hash = write_checkpoint(text_model, options); break;
  }
  return converted;
}

}  // namespace chainrule::pipeline::convert
