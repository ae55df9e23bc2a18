#include "pipeline/pretrain/inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/error.h"
#include "io/tokenizer/tokenizer.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndexName = "index.json";

bool is_data_set(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / kIndexName, error);
}

/// The folder to train on: data itself, or its train/ where it is a pair.
fs::path training_folder(const fs::path& data) {
  return !is_data_set(data) && is_data_set(data / "train") ? data / "train" : data;
}

/// The folder to validate on; empty where there is none.
fs::path validation_folder(const PretrainOptions& options) {
  if (!options.validation_data.empty()) return options.validation_data;
  const fs::path held_out = options.data / "held-out";
  return !is_data_set(options.data) && is_data_set(held_out) ? held_out : fs::path();
}

model::shape::Config shape_of(const PretrainOptions& options, std::uint32_t vocabulary_size) {
  const auto preset = model::shape::preset(options.model);
  if (!preset) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("option '--model': no preset is named '{}'; there are {}", options.model,
                                     fmt::join(model::shape::preset_names(), ", ")));
  }
  model::shape::Config config = *preset;
  if (options.layers != 0) config.layers = options.layers;
  if (options.heads != 0) config.heads = options.heads;
  if (options.width != 0) {
    config.width = options.width;
    config.feed_forward_width = 4 * options.width;
  }
  if (options.sequence_length != 0) config.sequence_length = options.sequence_length;
  config.vocabulary_size = vocabulary_size;
  model::shape::validate(config);
  return config;
}

/// A set's tokenizer.json must be the one its tokens were made with: it goes into every checkpoint.
void check_tokenizer(const io::tokens::DataSet& data) {
  const std::string fingerprint = io::tokenizer::Tokenizer::load(data.tokenizer_path()).fingerprint();
  if (fingerprint != data.tokenizer_fingerprint()) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("'{}' has fingerprint {}, but the data set's tokens were made with {}",
                                data.tokenizer_path().string(), fingerprint, data.tokenizer_fingerprint()));
  }
}

}  // namespace

PretrainInputs open_inputs(const PretrainOptions& options) {
  io::tokens::DataSet training = io::tokens::DataSet::open(training_folder(options.data));
  check_tokenizer(training);
  model::shape::Config config = shape_of(options, training.vocabulary_size());
  if (training.token_count() < static_cast<std::uint64_t>(config.sequence_length)) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("the data set '{}' has {} tokens, fewer than one window of --sequence-length {}",
                                training.folder().string(), training.token_count(), config.sequence_length));
  }
  std::optional<io::tokens::DataSet> validation;
  if (const fs::path folder = validation_folder(options); options.validate_every != 0 && !folder.empty()) {
    validation = io::tokens::DataSet::open(folder);
    if (validation->tokenizer_fingerprint() != training.tokenizer_fingerprint()) {
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("the validation set '{}' was made with another tokenizer than '{}'", folder.string(),
                                  training.folder().string()));
    }
    if (validation->token_count() == 0) validation.reset();  // a small set's held-out part may be empty
  }
  return {std::move(training), std::move(validation), config};
}

void verify_inputs(const comm::Communicator& communicator, const PretrainInputs& inputs) {
  comm::agree(communicator, [&] {
    const auto verify_share = [&](const io::tokens::DataSet& data) {
      for (auto shard = static_cast<std::size_t>(communicator.rank()); shard < data.shard_count();
           shard += static_cast<std::size_t>(communicator.size())) {
        data.verify_shard(shard);
      }
    };
    verify_share(inputs.training);
    if (inputs.validation) verify_share(*inputs.validation);
  });
}

}  // namespace chainrule::pipeline::pretrain
