#include "pipeline/pretrain/verify_run.h"

#include <filesystem>

#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/pretrain_command.h"
#include "pipeline/cli/version.h"
#include "pipeline/comm/session.h"
#include "pipeline/run/run_directory.h"
#include "pipeline/run/watchdog.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_verify_run(const Arguments& arguments) {
  pretrain::Replay replay;
  std::string run;
  std::string data;
  std::string tokenizer;
  std::vector<std::string> mix;
  int threads = 0;
  CommandOptions command(
      "chainrule verify-run RUN --from K --steps N [options]",
      "Takes steps K+1 to K+N of a run once more, from its checkpoint of step K, and compares each step's loss, "
      "gradient\n"
      "norm and learning rate with what metrics.jsonl says, and the weights' hash where it has one. Writes nothing. On "
      "any\n"
      "number of ranks up to the run's lanes. Exit code 0: all are the same in every bit; 65: one is not.");
  command.group("Run").add_options()("run", po::value(&run)->required()->value_name("DIR"),
                                     "run directory; the option's name may be left out")(
      "from", po::value(&replay.from)->required()->value_name("K"), "step of a checkpoint that is there")(
      "steps", po::value(&replay.steps)->required()->value_name("N"), "steps to take");
  command.group("Where they are not as in the run's config.cfg")
      .add_options()("data", po::value(&data)->value_name("PATH"), "its training data")(
          "mix", po::value(&mix)->multitoken()->value_name("NAME=DATA:WEIGHT[@STEP]"), "all of its mix")(
          "tokenizer", po::value(&tokenizer)->value_name("T"), "of token files of other systems")(
          "threads", po::value(&threads)->value_name("N"), "per rank; other numbers may give other bits");
  command.allow_positional("run");
  if (!command.parse(arguments)) return failure::ExitCode::done;
  check_range("from", replay.from, 0);
  check_range("steps", replay.steps, 1);
  Arguments words = {"--config", (std::filesystem::path(run) / run::kConfigurationName).string(), "--run", run};
  const auto pass_on = [&](const std::string& option, const std::vector<std::string>& values) {
    if (!command.given(option)) return;
    words.push_back("--" + option);
    words.insert(words.end(), values.begin(), values.end());
  };
  pass_on("data", {data});
  pass_on("mix", mix);
  pass_on("tokenizer", {tokenizer});
  pass_on("threads", {std::to_string(threads)});
  const std::optional<PretrainCommand> asked = parse_pretrain(words);
  const comm::Session session;
  command.require_same(session.world());
  return run::watched(session.world(), [&] {
    return pretrain::verify_run(session.world(), asked->options, asked->configuration, replay, version_text());
  });
}

}  // namespace chainrule::pipeline::cli
