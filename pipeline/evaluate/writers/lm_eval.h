#pragma once
#include <nlohmann/json_fwd.hpp>

#include "pipeline/evaluate/writers/written_report.h"

// Results of protocol lm-eval as lm-eval 0.4.13 writes those of a task of output type loglikelihood_rolling
// (lm_eval.result_schema). The task is the data set.
namespace chainrule::pipeline::evaluate::writers {

/// results_TIME.json. What chainrule does not know is left out. Standard errors are clustered by document; where there
/// is none they are "N/A", as lm-eval says it.
nlohmann::ordered_json render_lm_eval_results(const WrittenReport& written);

/// samples_TASK_TIME.jsonl: a line for each document that is covered. The data set does not keep texts, so what repeats
/// them (target, arguments) or is made of them by SHA-256 is left out; `doc` says where each is from.
void render_lm_eval_samples(const WrittenReport& written, const report::TextSink& sink);

}  // namespace chainrule::pipeline::evaluate::writers
