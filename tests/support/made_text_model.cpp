#include "tests/support/made_text_model.h"

#include <algorithm>

#include "io/tokenizer/definition.h"
#include "model/shape/parameters.h"
#include "tests/support/values.h"

namespace chainrule::tests {

pipeline::models::TextModel made_text_model(std::int64_t sequence_length, std::uint64_t seed) {
  pipeline::models::TextModel made{{}, io::tokenizer::Tokenizer::from_merges({})};
  model::shape::Config& config = made.model.config;
  config.layers = 2;
  config.heads = 2;
  config.width = 24;
  config.feed_forward_width = 48;
  config.vocabulary_size = made.tokenizer.vocabulary_size();
  config.sequence_length = sequence_length;
  const model::shape::ParameterTable table(config);
  made.model.parameters = model::Arena(table.arena_size());
  const std::vector<float> values = normal_values(seed, table.arena_size(), 0.3);
  std::copy(values.begin(), values.end(), made.model.parameters.data());
  made.model.folder = "made";
  made.model.tokenizer_fingerprint = made.tokenizer.fingerprint();
  return made;
}

}  // namespace chainrule::tests
