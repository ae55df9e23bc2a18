// Usage: dump_logits MODEL TOKENS LOGITS. MODEL: of another system; TOKENS: u32 ids of one text; LOGITS gets f32
// [tokens, vocabulary], as the production decoder computes them from the weights where they lie.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <stdexcept>
#include <vector>

#include "model/decoder/decoder.h"
#include "pipeline/models/external/external_model.h"

namespace chainrule::tests {
namespace {

class WriteLogits final : public model::decoder::LogitsVisitor {
 public:
  WriteLogits(std::ofstream& out, std::int64_t vocabulary) : out_(out), vocabulary_(vocabulary) {}
  void visit(std::int64_t, std::int64_t rows, float* logits, std::int64_t stride) override {
    for (std::int64_t r = 0; r < rows; ++r) {
      out_.write(reinterpret_cast<const char*>(logits + r * stride),
                 vocabulary_ * static_cast<std::int64_t>(sizeof(float)));
    }
  }

 private:
  std::ofstream& out_;
  std::int64_t vocabulary_;
};

std::vector<std::uint32_t> read_tokens(const char* path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  std::vector<std::uint32_t> tokens(static_cast<std::size_t>(in ? std::streamoff(in.tellg()) : 0) /
                                    sizeof(std::uint32_t));
  in.seekg(0).read(reinterpret_cast<char*>(tokens.data()),
                   static_cast<std::streamsize>(tokens.size() * sizeof(std::uint32_t)));
  if (!in || tokens.empty()) throw std::runtime_error(fmt::format("cannot read tokens from '{}'", path));
  return tokens;
}

void dump(const char* model_path, const char* tokens_path, const char* logits_path) {
  const auto external = pipeline::models::external::open_external_model(model_path);
  if (!external) throw std::runtime_error(fmt::format("'{}' is no model of another system", model_path));
  const auto weights = pipeline::models::external::weights_of(*external);
  const std::vector<std::uint32_t> tokens = read_tokens(tokens_path);
  const std::vector<std::uint32_t> targets(tokens.size(), model::ops::kNotScored);
  const std::vector<model::ops::Sequence> sequences = {{0, static_cast<std::int64_t>(tokens.size())}};
  const auto ops = model::ops::make_fast_ops(model::products::Math::float32);
  model::decoder::Decoder decoder(external->config, {.maximum_rows = sequences.front().rows}, *ops);
  std::ofstream out(logits_path, std::ios::binary);
  WriteLogits visitor(out, external->config.vocabulary_size);
  decoder.visit_logits(*weights, {.inputs = tokens, .targets = targets, .sequences = sequences}, visitor);
  if (!out.flush()) throw std::runtime_error(fmt::format("cannot write '{}'", logits_path));
}

}  // namespace
}  // namespace chainrule::tests

int main(int argument_count, char** arguments) {
  try {
    if (argument_count != 4) throw std::runtime_error("usage: dump_logits MODEL TOKENS LOGITS");
    chainrule::tests::dump(arguments[1], arguments[2], arguments[3]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
