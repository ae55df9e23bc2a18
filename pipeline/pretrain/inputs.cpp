#include "pipeline/pretrain/inputs.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/quote.h"
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

/// The tokenizer.json of a data set must be the one its tokens were made with: it goes into every checkpoint.
void check_tokenizer(const io::tokens::TokenStream& data) {
  const fs::path file = data.path() / "tokenizer.json";
  const std::string fingerprint = io::tokenizer::Tokenizer::load(file).fingerprint();
  if (fingerprint != data.tokenizer_fingerprint()) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("'{}' has fingerprint {}, but the data set's tokens were made with {}", file.string(),
                                fingerprint, data.tokenizer_fingerprint()));
  }
}

/// Opens the streams of a run; loads the tokenizer that was named where one of them is of another system.
class Streams {
 public:
  explicit Streams(const fs::path& tokenizer) : tokenizer_path_(tokenizer) {}

  std::unique_ptr<io::tokens::TokenStream> open(const fs::path& path) {
    return io::tokens::open_token_stream(path, [&] { return tokenizer_of(path); });
  }

  /// Whether a stream of another system was opened.
  bool needed_tokenizer() const { return tokenizer_ != nullptr; }
  /// Throws Error usage where a tokenizer was named and all data sets have their own.
  void require_use() const {
    if (tokenizer_path_.empty() || needed_tokenizer()) return;
    throw failure::Error(failure::ExitCode::usage,
                         "option '--tokenizer' belongs to token files of other systems; a data set has its own");
  }

 private:
  std::shared_ptr<const io::tokenizer::Tokenizer> tokenizer_of(const fs::path& path) {
    if (tokenizer_path_.empty()) {
      throw failure::Error(failure::ExitCode::usage,
                           fmt::format("{} does not say whose tokens it holds: name their tokenizer with --tokenizer",
                                       io::path_in_quotes(path)));
    }
    if (!tokenizer_) {
      tokenizer_ = std::make_shared<io::tokenizer::Tokenizer>(io::tokenizer::Tokenizer::load(tokenizer_path_));
    }
    return tokenizer_;
  }

  fs::path tokenizer_path_;
  std::shared_ptr<const io::tokenizer::Tokenizer> tokenizer_;
};

/// The shape to train, and that the data's tokens are the model's.
model::shape::Config config_of(const PretrainOptions& options, const Start& start,
                               const io::tokens::TokenStream& training) {
  if (!start.config) return shape_of(options.model, training.vocabulary_size());
  if (training.tokenizer_fingerprint() != start.tokenizer_fingerprint ||
      training.vocabulary_size() > start.config->vocabulary_size) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("option '--init': the tokenizer of {} is {}, the tokens of {} were made with {}",
                                io::path_in_quotes(options.init), start.tokenizer_fingerprint,
                                io::path_in_quotes(training.path()), training.tokenizer_fingerprint()));
  }
  return *start.config;
}

}  // namespace

PretrainInputs open_inputs(const PretrainOptions& options, const Start& start) {
  const io::tokens::DataSetPair pair = io::tokens::find_pair(options.data);
  PretrainInputs inputs;
  Streams streams(options.tokenizer);
  inputs.training = streams.open(pair.train.value_or(options.data));
  const io::tokens::TokenStream& training = *inputs.training;
  if (!streams.needed_tokenizer()) check_tokenizer(training);
  inputs.config = config_of(options, start, training);
  if (training.token_count() < static_cast<std::uint64_t>(inputs.config.sequence_length)) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("the data set '{}' has {} tokens, fewer than one window of --sequence-length {}",
                                training.path().string(), training.token_count(), inputs.config.sequence_length));
  }
  if (const fs::path path = validation_path(options, pair); options.validate_every != 0 && !path.empty()) {
    inputs.validation = streams.open(path);
    if (inputs.validation->tokenizer_fingerprint() != training.tokenizer_fingerprint()) {
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("the validation set '{}' was made with another tokenizer than '{}'", path.string(),
                                  training.path().string()));
    }
    if (inputs.validation->token_count() == 0) inputs.validation.reset();  // a small set's held-out part may be empty
  }
  streams.require_use();
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
