#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "io/files/json_text.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/model_help.h"
#include "pipeline/cli/new_file.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/standard_output.h"
#include "pipeline/cli/text_input.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/infer/score/render.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_score(const Arguments& arguments) {
  std::string model_path;
  std::string page_path;
  TextInput input;
  bool slide = false;
  bool table = false;
  bool json = false;
  int threads = 0;
  CommandOptions options(
      "chainrule score --model M [--text T | --input FILE] [--table] [--slide] [--json] [--html FILE]",
      "Each factor p(token | text before it) of a text and their product: log-likelihood,\n"
      "cross-entropy, perplexity and bits per byte. The first token is conditioned on the start token.\n"
      "At a terminal the text is shown on the colours of its surprise, elsewhere as a table with a line for\n"
      "each factor. Special tokens spelled in the text are text.");
  options.group("Model").add_options()("model", po::value(&model_path)->required()->value_name("PATH"), kModelHelp)(
      "threads", po::value(&threads)->default_value(0), "OpenMP threads; 0: OMP_NUM_THREADS, else every core");
  auto& text_group = options.group("Text");
  input.add_to(text_group);
  text_group.add_options()("slide", po::bool_switch(&slide),
                           "read a text longer than the model's context in windows that overlap by half");
  options.group("Output").add_options()("table", po::bool_switch(&table), "print the table at a terminal too")(
      "json", po::bool_switch(&json), "print JSON")("html", po::value(&page_path)->value_name("FILE"),
                                                    "also write the heat map and every factor as a web page");
  if (!options.parse(arguments) || comm::launched_rank() != 0) return failure::ExitCode::done;

  std::optional<NewFile> page;
  if (options.given("html")) page.emplace("--html", page_path);
  if (table && json) throw failure::Error(failure::ExitCode::usage, "--table and --json exclude each other");
  check_range("threads", threads, 0);
  const std::string text = input.read(options);
  if (text.empty()) throw failure::Error(failure::ExitCode::bad_data, "the text is empty: there is nothing to score");
  run::use_threads_alone(threads);
  const models::TextModel model = models::load_text_model(model_path);
  const auto ops = model::ops::make_fast_ops(model::products::Math::float32);
  const infer::score::TextScore score = infer::score::score_text(model, text, slide, *ops);
  if (page) page->write(infer::score::render_page(score, model.model));
  if (json) {
    run::print(io::files::json_text(infer::score::to_json(score, model.model), 2) + "\n");
  } else if (shows_colours() && !table) {
    run::print(infer::score::render_heat_map(score, shows_true_colours() ? infer::score::TerminalColours::true_colour
                                                                         : infer::score::TerminalColours::palette_256));
  } else {
    run::print(infer::score::render_table(score));
  }
  if (score.nonfinite_tokens == 0) return failure::ExitCode::done;
  throw failure::Error(failure::ExitCode::bad_data,
                       fmt::format("{} of {} factors are not finite: the model '{}' gives this text no probability",
                                   score.nonfinite_tokens, score.tokens.size(), model.model.folder.string()));
}

}  // namespace chainrule::pipeline::cli
