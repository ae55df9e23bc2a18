#include "pipeline/convert/formats.h"
#include "pipeline/convert/gpt2.h"

namespace chainrule::pipeline::convert {

io::tensors::llmc::Header llmc_header(const model::shape::Config& config, io::tensors::Encoding encoding) {
  const Requirement llmc("an llm.c model");
  require_gpt2(llmc, config);
  llmc.require(config.feed_forward_width == 4 * config.width, "feed_forward_width", config.feed_forward_width);
  llmc.require(config.normalization_epsilon == 1e-5F, "normalization_epsilon", config.normalization_epsilon);
  return {.context = static_cast<std::int32_t>(config.sequence_length),
          .vocabulary = static_cast<std::int32_t>(config.vocabulary_size),
          .layers = static_cast<std::int32_t>(config.layers),
          .heads = static_cast<std::int32_t>(config.heads),
          .width = static_cast<std::int32_t>(config.width),
          .encoding = encoding};
}

}  // namespace chainrule::pipeline::convert
