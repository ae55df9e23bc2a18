// The description of the decoder against numbers that are computed by hand, and its own consistency.
#include "model/shape/description.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "model/shape/parameters.h"

namespace chainrule::model::shape {
namespace {

Config gpt2(std::string_view name) {
  Config config = preset(name).value();
  config.vocabulary_size = 50'257;
  return config;
}

const Part& part_of(const Block& block, std::string_view name) {
  return *std::find_if(block.parts.begin(), block.parts.end(), [&](const Part& part) { return part.name == name; });
}

TEST(Description, CountsTheParametersOfThePublishedSizes) {
  for (const char* name : {"gpt2-124m", "gpt2-355m", "gpt2-774m", "gpt2-1558m"}) {
    const Config config = gpt2(name);
    const std::int64_t c = config.width;
    const std::int64_t by_hand = 50'257 * c + 1024 * c + config.layers * (12 * c * c + 13 * c) + 2 * c;
    EXPECT_EQ(parameter_count(config), by_hand) << name;
  }
  EXPECT_EQ(parameter_count(gpt2("gpt2-124m")), 124'439'808);
}

TEST(Description, CountsTheParametersOfPublishedLlamas) {
  const auto count = [](const char* name, std::int64_t vocabulary) {
    Config config = preset(name).value();
    config.vocabulary_size = vocabulary;
    return parameter_count(config);
  };
  EXPECT_EQ(count("llama-110m", 32'000), 109'529'856);
  EXPECT_EQ(count("llama-1b", 128'256), 1'235'814'400);
  EXPECT_EQ(count("llama-8b", 128'256), 8'030'261'248);
  EXPECT_EQ(count("smollm2-135m", 49'152), 134'515'008);
}

TEST(Description, ListsTheProductsOfALlama) {
  const Description model = describe(gpt2("llama-8b"));
  using Product = std::pair<std::int64_t, std::int64_t>;  // in, out
  std::vector<Product> products;
  for (const Part& part : model.layer.parts) {
    if (part.is_product()) products.emplace_back(part.in(), part.out());
    EXPECT_FALSE(part.bias.has_value()) << part.name;
  }
  EXPECT_EQ(products, (std::vector<Product>{{4096, 6144}, {4096, 4096}, {4096, 28'672}, {14'336, 4096}}));
  EXPECT_EQ(model.head.weight->name, "head.weight");
  // A window counts what its queries meet: 100 of 1,000 positions, fewer at the beginning.
  Config windowed = gpt2("llama-8b");
  windowed.attention_window = 100;
  EXPECT_DOUBLE_EQ(describe(windowed).attention_flops_per_token(1000), 4.0 * 32 * 4096 * (100 - 5));
}

TEST(Description, BeginsResidualProjectionsAsZeroWhereAsked) {
  Config config = gpt2("llama-110m");
  config.zero_residuals = true;
  const Description model = describe(config);
  EXPECT_EQ(part_of(model.layer, "attention.output").weight->initial, Initial::zero);
  EXPECT_EQ(part_of(model.layer, "feed_forward.down").weight->initial, Initial::zero);
  EXPECT_EQ(part_of(model.layer, "feed_forward.gate_up").weight->initial, Initial::normal);
}

TEST(Description, ListsTheProductsOfGpt2) {
  const Description model = describe(gpt2("gpt2-124m"));
  using Product = std::pair<std::int64_t, std::int64_t>;  // in, out
  std::vector<Product> products;
  for (const Part& part : model.layer.parts) {
    if (part.is_product()) products.emplace_back(part.in(), part.out());
  }
  EXPECT_EQ(products, (std::vector<Product>{{768, 2304}, {768, 768}, {768, 3072}, {3072, 768}}));
  EXPECT_EQ(model.head.in(), 768);
  EXPECT_EQ(model.head.out(), 50'257);
  EXPECT_EQ(model.layers, 12);
  EXPECT_DOUBLE_EQ(model.attention_flops_per_token(1024), 2.0 * 12 * 1024 * 768);
}

TEST(Description, KeepsWhatBackwardNeedsAndNoMore) {
  const Config config = gpt2("gpt2-124m");
  const Description model = describe(config);
  constexpr std::int64_t kRows = 64;
  // Means and deviations of two norms, log-sum-exp of 12 heads, query, key, value, attention, middle and up.
  EXPECT_EQ(model.layer.saved_elements(kRows), kRows * (4 + 12 + 3 * 768 + 768 + 768 + 3072));
  EXPECT_EQ(model.layer.buffer_elements(kRows, false), kRows * (768 + 3072));
  EXPECT_EQ(model.layer.buffer_elements(kRows, true), kRows * (768 + 3072 + 768 + 768 + 3072 + 3 * 768));
  EXPECT_EQ(model.ending.saved_elements(kRows), kRows * (768 + 2));
  // A piece of one row still begins on a cache line of its own.
  EXPECT_EQ(model.layer.saved_elements(1), 4 * 16 + 16 + 3 * 768 + 768 + 768 + 3072);
  // Recomputation stops before the activation: what follows saves nothing.
  EXPECT_EQ(model.layer.parts[model.layer.saving_parts].kind, PartKind::gelu);
}

TEST(Description, TellsWhatTheAttentionOfALayerLeaves) {
  constexpr std::int64_t kRows = 64;
  const auto attention_elements = [](const Block& layer) {
    return layer.saved_elements(kRows, layer.values_after(layer.attention_parts));
  };
  const Block gpt2_layer = describe(gpt2("gpt2-124m")).layer;
  EXPECT_EQ(gpt2_layer.parts[gpt2_layer.attention_parts - 1].kind, PartKind::attention);
  // Mean and deviation of the first norm, query, key, value, attention and log-sum-exp.
  EXPECT_EQ(attention_elements(gpt2_layer), kRows * (2 + 3 * 768 + 768 + 12));
  Config config = gpt2("llama-110m");
  const std::int64_t row = attention_shape(config).row_width();
  // Of a Llama only what was turned is saved, with QK-norm also what it was made of.
  EXPECT_EQ(attention_elements(describe(config).layer), kRows * (1 + row + config.width + config.heads));
  config.query_key_norm = true;
  const std::int64_t heads = config.heads + attention_shape(config).key_value_heads;
  EXPECT_EQ(attention_elements(describe(config).layer), kRows * (1 + 2 * row + heads + config.width + config.heads));
  EXPECT_EQ(gpt2_layer.values_after(gpt2_layer.parts.size()), gpt2_layer.values.size());
  EXPECT_EQ(describe(config).ending.attention_parts, 0U);
}

TEST(Description, TellsHowParametersBegin) {
  const Description model = describe(gpt2("gpt2-124m"));
  const auto initial = [&](const char* name) { return part_of(model.layer, name).weight->initial; };
  EXPECT_EQ(initial("attention_norm"), Initial::one);
  EXPECT_EQ(initial("attention.query_key_value"), Initial::normal);
  EXPECT_EQ(initial("attention.output"), Initial::normal_into_stream);
  EXPECT_EQ(initial("feed_forward.up"), Initial::normal);
  EXPECT_EQ(initial("feed_forward.down"), Initial::normal_into_stream);
  const ParameterTable table(gpt2("gpt2-124m"));
  for (const Parameter& parameter : table.parameters()) {
    if (parameter.name.ends_with(".bias")) {
      EXPECT_EQ(parameter.initial, Initial::zero) << parameter.name;
    }
    EXPECT_EQ(parameter.decay, parameter.is_matrix()) << parameter.name;
    EXPECT_EQ(parameter.in_products, parameter.is_matrix() && parameter.name != "position_embedding.weight");
  }
}

class DescriptionOfPreset : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Presets, DescriptionOfPreset, testing::Values("gpt2-124m", "llama-1b", "llama-8b"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(DescriptionOfPreset, EachValueIsWrittenOnceBeforeItIsRead) {
  const Description model = describe(gpt2(GetParam()));
  for (const Block* block : {&model.layer, &model.ending}) {
    std::set<std::size_t> written = {0};
    std::multiset<std::size_t> read;
    for (const Part& part : block->parts) {
      EXPECT_TRUE(written.contains(part.input)) << part.name;
      if (part.added_to) {
        EXPECT_TRUE(written.contains(*part.added_to)) << part.name;
      }
      EXPECT_TRUE(written.insert(part.output).second) << part.name;
      EXPECT_TRUE(block->values[part.output].gradient.has_value()) << part.name;
      read.insert(part.input);
    }
    for (std::size_t each = 0; each < block->values.size(); ++each) EXPECT_LE(read.count(each), 1u);
  }
  EXPECT_EQ(model.layer.values[model.layer.parts.back().output].place, Value::Place::stream);
}

TEST_P(DescriptionOfPreset, OffsetsOfPartsAreThoseOfTheTable) {
  const Config config = gpt2(GetParam());
  const ParameterTable table(config);
  const auto same = [&](const Block& block, ParameterRange range, const std::string& prefix) {
    for (const Part& part : block.parts) {
      for (const auto& parameter : {part.weight, part.bias}) {
        if (parameter) {
          EXPECT_EQ(table.find(prefix + parameter->name).offset, range.begin + parameter->offset);
        }
      }
    }
    EXPECT_EQ(range.end - range.begin, block.parameter_elements);
  };
  same(table.description().ending, table.ending(), "");
  same(table.description().layer, table.layer(0), "layers.0.");
  same(table.description().layer, table.layer(11), "layers.11.");
  if (table.description().position_embedding) {
    EXPECT_EQ(table.find("position_embedding.weight").offset, table.position_embedding().begin);
  } else {
    EXPECT_EQ(table.position_embedding(), ParameterRange());
  }
  EXPECT_EQ(table.find("token_embedding.weight").offset, table.token_embedding().begin);
  EXPECT_EQ(table.head().begin, config.tied_head ? table.token_embedding().begin : 0);
  EXPECT_EQ(table.token_embedding().end, table.arena_size());
}

}  // namespace
}  // namespace chainrule::model::shape
