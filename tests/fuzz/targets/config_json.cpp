#include <nlohmann/json.hpp>

#include "io/files/untrusted_json.h"
#include "model/shape/parameters.h"
#include "pipeline/models/external/hugging_face_config.h"
#include "tests/fuzz/target.h"

/// What a model's config.json asks for is a model whose parameters can be counted.
FUZZ_TARGET(config_json) {
  const auto config = chainrule::pipeline::models::external::read_hugging_face_config(
      chainrule::io::files::parse_untrusted_json(bytes, "'fuzz'"), "'fuzz'");
  chainrule::fuzz::require(chainrule::model::shape::parameter_count(config) > 0, "a model has parameters");
}
