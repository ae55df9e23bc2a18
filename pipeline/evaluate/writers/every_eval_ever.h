#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "pipeline/evaluate/writers/written_report.h"

// An aggregate record of every-eval-ever, by its eval.schema.json of version 0.3.0.
namespace chainrule::pipeline::evaluate::writers {

/// The model's id there, "local/NAME": whose model it is nobody told.
std::string every_eval_ever_model(const WrittenReport& written);

/// Each measure of the whole and of each domain, with its error clustered by document and its 95 % interval; then what
/// the protocol's own program prints, where that is none of these. Undefined values are left out.
nlohmann::ordered_json render_every_eval_ever(const WrittenReport& written);

}  // namespace chainrule::pipeline::evaluate::writers
