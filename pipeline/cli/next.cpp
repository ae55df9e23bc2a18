#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "io/files/json_text.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/model_help.h"
#include "pipeline/cli/new_file.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/text_input.h"
#include "pipeline/comm/session.h"
#include "pipeline/infer/next/next_token.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_next(const Arguments& arguments) {
  std::string model_path;
  std::string picture_path;
  TextInput input;
  infer::next::NextOptions what;
  bool json = false;
  int threads = 0;
  CommandOptions options(
      "chainrule next --model M [--text T | --input FILE] [--top 20] [--temperature 1] [--slide] [--json] [--svg FILE]",
      "The distribution of the token that follows a text, likeliest first. The text is conditioned on\n"
      "the start token, which is all there is before an empty one. Special tokens spelled in it are text.");
  options.group("Model").add_options()("model", po::value(&model_path)->required()->value_name("PATH"), kModelHelp)(
      "temperature", po::value(&what.temperature)->default_value(1.0, "1"), "logits are divided by it; above 0")(
      "threads", po::value(&threads)->default_value(0), "OpenMP threads; 0: OMP_NUM_THREADS, else every core");
  auto& text_group = options.group("Text");
  input.add_to(text_group);
  text_group.add_options()("slide", po::bool_switch(&what.slide),
                           "let the start of a text longer than the model's context go");
  options.group("Output").add_options()("top", po::value(&what.top)->default_value(what.top), "tokens shown")(
      "json", po::bool_switch(&json), "print JSON")("svg", po::value(&picture_path)->value_name("FILE"),
                                                    "also write the bars as a picture");
  if (!options.parse(arguments) || comm::launched_rank() != 0) return failure::ExitCode::done;

  std::optional<NewFile> picture;
  if (options.given("svg")) picture.emplace("--svg", picture_path);
  infer::next::validate(what);
  check_range("threads", threads, 0);
  const std::string text = input.read(options);
  run::use_threads_alone(threads);
  const models::TextModel model = models::load_text_model(model_path);
  const auto ops = model::ops::make_fast_ops(model::products::Math::float32);
  const infer::next::NextToken next = infer::next::next_token(model, text, what, *ops);
  if (next.dropped_tokens > 0) {
    run::say(fmt::format("chainrule: the text is longer than the model's context: its first {} tokens were let go\n",
                         next.dropped_tokens));
  }
  if (picture) picture->write(infer::next::render_svg(next));
  run::print(json ? io::files::json_text(infer::next::to_json(next, model.model), 2) + "\n"
                  : infer::next::render_bars(next));
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
