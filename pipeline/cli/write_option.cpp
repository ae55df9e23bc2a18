#include "pipeline/cli/write_option.h"

#include <fmt/format.h>

#include "pipeline/failure/error.h"

namespace chainrule::pipeline::cli {

namespace writers = evaluate::writers;

void WriteOption::add_to(po::options_description& group) {
  group.add_options()("write", po::value(&names_)->composing()->value_name("FORMAT"),
                      "the results as another program's files too, in a folder of its name in the report: lm-eval (of "
                      "protocol lm-eval) or every-eval-ever; may be given twice");
}

writers::Formats WriteOption::chosen() const {
  writers::Formats formats;
  for (const std::string& name : names_) {
    if (name != writers::kLmEvalFormat && name != writers::kEveryEvalEverFormat) {
      throw failure::Error(failure::ExitCode::usage,
                           fmt::format("--write '{}' is neither {} nor {}", name, writers::kLmEvalFormat,
                                       writers::kEveryEvalEverFormat));
    }
    (name == writers::kLmEvalFormat ? formats.lm_eval : formats.every_eval_ever) = true;
  }
  return formats;
}

}  // namespace chainrule::pipeline::cli
