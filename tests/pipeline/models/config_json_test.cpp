// What model.json says of a shape is read back the same.
#include "pipeline/models/config_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/error.h"
#include "model/shape/config.h"

namespace chainrule::pipeline::models {
namespace {

using Kind = model::shape::RotaryScaling::Kind;

model::shape::Config config_of(const model::shape::RotaryScaling& scaling) {
  model::shape::Config config = *model::shape::preset("llama-110m");
  config.vocabulary_size = 100;
  config.head_width = 8;
  config.rotary.scaling = scaling;
  return config;
}

nlohmann::json json_of(const model::shape::Config& config) { return nlohmann::json::parse(config_text(config)); }

TEST(ConfigJson, EveryScalingIsReadBackTheSame) {
  for (const Kind kind : {Kind::linear, Kind::dynamic, Kind::llama3, Kind::yarn}) {
    const model::shape::Config config = config_of({.kind = kind, .factor = 2.5, .original_length = 64});
    EXPECT_EQ(read_config(json_of(config)), config) << static_cast<int>(kind);
  }
  const model::shape::Config factors =
      config_of({.kind = Kind::factors, .factors = {1, 1.2074838876724243F, 1e-9F, 32}});
  EXPECT_EQ(read_config(json_of(factors)), factors);
}

TEST(ConfigJson, FactorsThatAreNotOneForEachFrequencyAreRefused) {
  nlohmann::json json = json_of(config_of({.kind = Kind::factors, .factors = {1, 2, 3, 4}}));
  for (const nlohmann::json& factors :
       {nlohmann::json{1, 2, 3}, nlohmann::json{1, 2, 3, 0}, nlohmann::json{1, 2, 3, 1e300}, nlohmann::json::array()}) {
    json["rotary"]["scaling"]["factors"] = factors;
    EXPECT_THROW(read_config(json), model::Error) << factors;
  }
  json["rotary"]["scaling"]["factors"] = "many";
  EXPECT_THROW(read_config(json), nlohmann::json::exception);
}

}  // namespace
}  // namespace chainrule::pipeline::models
