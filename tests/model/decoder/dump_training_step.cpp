// Usage: dump_training_step FOLDER. Writes what one training step of the production decoder took and gave, for
// torch_reference.py to recompute: in a folder for each model step.json (shape, batch, nll) and step.f32 (parameters,
// gradients, logits).
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "model/decoder/decoder.h"
#include "tests/model/decoder/decoder_case.h"

namespace chainrule::tests {
namespace {

class KeepLogits final : public model::decoder::LogitsVisitor {
 public:
  explicit KeepLogits(std::int64_t vocabulary) : vocabulary_(vocabulary) {}
  void visit(std::int64_t, std::int64_t rows, float* logits, std::int64_t stride) override {
    for (std::int64_t r = 0; r < rows; ++r) {
      kept.insert(kept.end(), logits + r * stride, logits + r * stride + vocabulary_);
    }
  }
  std::vector<float> kept;

 private:
  std::int64_t vocabulary_;
};

const char* name_of(model::shape::Activation activation) {
  switch (activation) {
    case model::shape::Activation::swiglu: return "swiglu";
    case model::shape::Activation::relu_squared: return "relu_squared";
    case model::shape::Activation::gelu_tanh: break;
  }
  return "gelu_tanh";
}

nlohmann::json shape_of(const model::shape::Config& config) {
  const model::shape::AttentionShape attention = model::shape::attention_shape(config);
  return {{"layers", config.layers},
          {"heads", attention.heads},
          {"key_value_heads", attention.key_value_heads},
          {"head_width", attention.head_width},
          {"attention_window", attention.window},
          {"epsilon", config.normalization_epsilon},
          {"rms_norm", config.normalization == model::shape::Normalization::rms_norm},
          {"rotary", config.position_encoding == model::shape::PositionEncoding::rotary},
          {"theta", config.rotary.theta},
          {"activation", name_of(config.activation)},
          {"query_key_norm", config.query_key_norm},
          {"tied_head", config.tied_head},
          {"logit_soft_cap", config.logit_soft_cap}};
}

void dump(const model::shape::Config& config, const std::string& folder, double z_loss = 0) {
  std::filesystem::create_directories(folder);
  const std::vector<float> arena = random_arena(config, 21, 0.15);
  std::vector<oracle::Text> texts = {random_text(config, 24, 22), random_text(config, 24, 23)};
  texts[1].targets[5] = oracle::kNoTarget;
  const OwnedBatch batch(texts);
  const auto ops = model::ops::make_fast_ops(model::products::Math::float32);
  model::decoder::Decoder decoder(
      config, {.maximum_rows = batch.view().rows(), .purpose = model::decoder::Purpose::train, .z_loss = z_loss}, *ops);
  KeepLogits logits(config.vocabulary_size);
  decoder.visit_logits(arena, batch.view(), logits);
  std::vector<float> gradients(arena.size(), 0.0F);
  std::vector<double> nll(batch.inputs.size());
  decoder.train(arena, batch.view(), gradients, model::decoder::Accumulate::yes, nll);

  nlohmann::json step = shape_of(config);
  step["arena_size"] = arena.size();
  step["nll"] = nll;
  step["z_loss"] = z_loss;
  for (const oracle::Text& text : texts) {
    step["inputs"].push_back(text.inputs);
    step["targets"].push_back(text.targets);
  }
  for (const model::shape::Parameter& parameter : decoder.table().parameters()) {
    step["parameters"].push_back({{"name", parameter.name}, {"shape", parameter.shape}, {"offset", parameter.offset}});
  }
  std::ofstream(folder + "/step.json") << step;
  std::ofstream numbers(folder + "/step.f32", std::ios::binary);
  for (const std::vector<float>* values : {&arena, &std::as_const(gradients), &std::as_const(logits.kept)}) {
    numbers.write(reinterpret_cast<const char*>(values->data()),
                  static_cast<std::streamsize>(values->size() * sizeof(float)));
  }
  if (!numbers.flush()) throw std::runtime_error("cannot write " + folder + "/step.f32");
}

}  // namespace
}  // namespace chainrule::tests

int main(int argument_count, char** arguments) {
  try {
    if (argument_count != 2) throw std::runtime_error("usage: dump_training_step FOLDER");
    const std::string folder = arguments[1];
    chainrule::tests::dump(chainrule::tests::small_config(3, 4, 101, 24), folder + "/gpt2");
    for (const auto& [name, config] : chainrule::tests::relatives()) {
      chainrule::tests::dump(config, folder + "/" + name);
      chainrule::tests::dump(config, folder + "/" + name + "_z_loss", 0.05);
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
