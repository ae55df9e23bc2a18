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

/// A source as messages name it.
std::string said(const SourceInput& source) {
  return source.name.empty() ? std::string() : fmt::format("the source '{}' of --mix: ", source.name);
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

/// The source's streams. Whether its tokens are the model's and enough is seen once the model's shape is there.
SourceInput open_source(const PretrainOptions& options, const mix::Source& asked, Streams& streams) {
  SourceInput source{.name = asked.name, .training = {}, .validation = {}};
  const io::tokens::DataSetPair pair = io::tokens::find_pair(asked.data);
  const fs::path path = pair.train.value_or(asked.data);
  source.training = streams.open(path);
  if (!io::tokens::needs_tokenizer(path)) check_tokenizer(*source.training);
  const auto named = options.validation_data.find(asked.name);
  const fs::path validation =
      named != options.validation_data.end() ? named->second : pair.held_out.value_or(fs::path());
  if (options.validate_every != 0 && !validation.empty()) source.validation = streams.open(validation);
  return source;
}

/// Its tokens are those of the first source's tokenizer, and fill a window.
void check_source(const SourceInput& source, const PretrainInputs& inputs) {
  const io::tokens::TokenStream& training = *source.training;
  if (training.tokenizer_fingerprint() != inputs.training().tokenizer_fingerprint()) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("{}'{}' was made with another tokenizer ({}) than '{}' ({})", said(source),
                                training.path().string(), training.tokenizer_fingerprint(),
                                inputs.training().path().string(), inputs.training().tokenizer_fingerprint()));
  }
  if (training.token_count() < static_cast<std::uint64_t>(inputs.config.sequence_length)) {
    throw io::Error(
        io::ErrorKind::bad_data,
        fmt::format("{}the data set '{}' has {} tokens, fewer than one window of --sequence-length {}", said(source),
                    training.path().string(), training.token_count(), inputs.config.sequence_length));
  }
  if (source.validation && source.validation->tokenizer_fingerprint() != training.tokenizer_fingerprint()) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("{}the validation set '{}' was made with another tokenizer than '{}'", said(source),
                                source.validation->path().string(), training.path().string()));
  }
}

}  // namespace

std::uint64_t PretrainInputs::training_tokens() const {
  std::uint64_t tokens = 0;
  for (const SourceInput& source : sources) tokens += source.training->token_count();
  return tokens;
}

PretrainInputs open_inputs(const PretrainOptions& options, const Start& start) {
  PretrainInputs inputs;
  Streams streams(options.tokenizer);
  for (const mix::Source& source : options.mix.sources) {
    inputs.sources.push_back(open_source(options, source, streams));
  }
  inputs.config = config_of(options, start, inputs.training());
  for (SourceInput& source : inputs.sources) {
    check_source(source, inputs);
    const bool empty = source.validation && source.validation->token_count() == 0;
    if (empty) source.validation.reset();  // a small set's held-out part may be empty
  }
  const bool may_be_of_unread = options.validate_every == 0 && !options.validation_data.empty();
  if (!may_be_of_unread) streams.require_use();
  return inputs;
}

void check_same_data(const comm::Communicator& communicator, const PretrainOptions& options,
                     const PretrainInputs& inputs) {
  const auto said = [](const auto& stream) {  // token files' fingerprints do not tell what texts are read behind
    return stream ? fmt::format("{} of {} tokens, start token {}", stream->fingerprint(), stream->token_count(),
                                stream->start_token())
                  : std::string("none");
  };
  for (std::size_t i = 0; i < inputs.sources.size(); ++i) {
    const auto require_same = [&](const char* what, const auto& stream) {
      comm::require_same(communicator, failure::ExitCode::bad_data,
                         fmt::format("{} of '{}'", what, options.mix.sources[i].data.string()), said(stream));
    };
    require_same("the training data", inputs.sources[i].training);
    require_same("the validation data", inputs.sources[i].validation);
  }
}

void verify_inputs(const comm::Communicator& communicator, const PretrainInputs& inputs) {
  comm::agree(communicator, [&] {
    const auto rank = static_cast<std::size_t>(communicator.rank());
    const auto ranks = static_cast<std::size_t>(communicator.size());
    for (const SourceInput& source : inputs.sources) {
      io::tokens::verify_shards(*source.training, rank, ranks);
      if (source.validation) io::tokens::verify_shards(*source.validation, rank, ranks);
    }
  });
}

}  // namespace chainrule::pipeline::pretrain
