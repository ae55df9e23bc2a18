#include "pipeline/pretrain/inputs.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/tokenizer/tokenizer.h"
#include "io/tokens/data_set_pair.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain {
namespace {

namespace fs = std::filesystem;

/// What to validate on; empty where there is nothing.
fs::path validation_path(const PretrainOptions& options, const io::tokens::DataSetPair& pair) {
  return !options.validation_data.empty() ? options.validation_data : pair.held_out.value_or(fs::path());
}

/// The tokenizer.json of the data must be the one its tokens were made with: it goes into every checkpoint.
void check_tokenizer(const io::tokens::TokenStream& data) {
  const std::string fingerprint = io::tokenizer::Tokenizer::load(data.tokenizer_path()).fingerprint();
  if (fingerprint != data.tokenizer_fingerprint()) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("'{}' has fingerprint {}, but the data set's tokens were made with {}",
                                data.tokenizer_path().string(), fingerprint, data.tokenizer_fingerprint()));
  }
}

}  // namespace

PretrainInputs open_inputs(const PretrainOptions& options) {
  const io::tokens::DataSetPair pair = io::tokens::find_pair(options.data);
  PretrainInputs inputs;
  inputs.training = io::tokens::open_token_stream(pair.train.value_or(options.data));
  const io::tokens::TokenStream& training = *inputs.training;
  check_tokenizer(training);
  inputs.config = shape_of(options.model, training.vocabulary_size());
  if (training.token_count() < static_cast<std::uint64_t>(inputs.config.sequence_length)) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("the data set '{}' has {} tokens, fewer than one window of --sequence-length {}",
                                training.path().string(), training.token_count(), inputs.config.sequence_length));
  }
  if (const fs::path path = validation_path(options, pair); options.validate_every != 0 && !path.empty()) {
    inputs.validation = io::tokens::open_token_stream(path);
    if (inputs.validation->tokenizer_fingerprint() != training.tokenizer_fingerprint()) {
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("the validation set '{}' was made with another tokenizer than '{}'", path.string(),
                                  training.path().string()));
    }
    if (inputs.validation->token_count() == 0) inputs.validation.reset();  // a small set's held-out part may be empty
  }
  return inputs;
}

void verify_inputs(const comm::Communicator& communicator, const PretrainInputs& inputs) {
  comm::agree(communicator, [&] {
    const auto rank = static_cast<std::size_t>(communicator.rank());
    const auto ranks = static_cast<std::size_t>(communicator.size());
    io::tokens::verify_shards(*inputs.training, rank, ranks);
    if (inputs.validation) io::tokens::verify_shards(*inputs.validation, rank, ranks);
  });
}

}  // namespace chainrule::pipeline::pretrain
