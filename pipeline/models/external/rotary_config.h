#pragma once
#include "model/shape/config.h"
#include "pipeline/models/external/config_fields.h"

namespace chainrule::pipeline::models::external {

/// Reads rope_theta with rope_scaling, or rope_parameters (transformers 5), and what they make of the context:
/// max_position_embeddings, as many times longer where frequencies follow the length (type dynamic). Writes
/// config.rotary and config.sequence_length.
void read_rotary(ConfigFields& fields, double default_theta, model::shape::Config& config);

}  // namespace chainrule::pipeline::models::external
