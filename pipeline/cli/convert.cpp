#include "pipeline/convert/convert.h"

#include <fmt/format.h>

#include "io/quote.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/model_help.h"
#include "pipeline/cli/options.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::cli {
namespace {

using convert::Format;
using io::tensors::Encoding;

[[noreturn]] void refuse(const std::string& why) { throw failure::Error(failure::ExitCode::usage, why); }

Format format_of(const std::string& name) {
  if (name == "hugging-face") return Format::hugging_face;
  if (name == "llm.c") return Format::llmc;
  if (name == "checkpoint") return Format::checkpoint;
  refuse(fmt::format("--format {}: hugging-face, llm.c or checkpoint", io::in_quotes(name)));
}

Encoding encoding_of(const std::string& name) {
  if (name == "f32") return Encoding::f32;
  if (name == "bf16") return Encoding::bf16;
  refuse(fmt::format("--encoding {}: f32 or bf16", io::in_quotes(name)));
}

std::string summary_of(const convert::ConvertOptions& options, const convert::Converted& converted) {
  std::string text = fmt::format("{}: {} parameters in {}, read back as the same", options.output.string(),
                                 show::grouped(static_cast<std::uint64_t>(converted.parameters)),
                                 io::tensors::name_of(options.encoding));
  if (!converted.weights_hash.empty()) text += fmt::format(", weights {}", converted.weights_hash);
  return text + "\n";
}

}  // namespace

failure::ExitCode run_convert(const Arguments& arguments) {
  std::string model;
  std::string output;
  std::string format;
  std::string encoding;
  CommandOptions options("chainrule convert --model M --format hugging-face|llm.c|checkpoint --output PATH",
                         "Writes a model, whatever system it is of, as a Hugging Face folder, an llm.c model or a "
                         "checkpoint of chainrule.\nIn f32 its weights stay the same bits.");
  options.group("Conversion")
      .add_options()("model", po::value(&model)->required()->value_name("M"), kModelHelp)(
          "format", po::value(&format)->required()->value_name("hugging-face|llm.c|checkpoint"),
          "hugging-face: config.json, safetensors and tokenizer; llm.c: a .bin of a GPT-2, its tokenizer.json beside "
          "it; checkpoint: chainrule's, for every command and pretrain --init")(
          "output", po::value(&output)->required()->value_name("PATH"), "a new or empty folder; for llm.c a new file")(
          "encoding", po::value(&encoding)->default_value("f32")->value_name("f32|bf16"),
          "bf16: rounded to nearest, ties to even (not for checkpoints)");
  if (!options.parse(arguments)) return failure::ExitCode::done;
  if (output.empty()) refuse("--output needs a name");
  const convert::ConvertOptions asked{model, output, format_of(format), encoding_of(encoding)};
  if (asked.format == Format::checkpoint && asked.encoding != Encoding::f32) {
    refuse("--encoding bf16: a checkpoint's weights are f32");
  }
  if (comm::launched_rank() != 0) return failure::ExitCode::done;  // one rank's work
  const convert::Converted converted = convert::convert(asked);
  run::print(summary_of(asked, converted));
  if (converted.tokenizer_is_ours) {
    run::warn("its tokenizer merges by scores, which a tokenizer.json cannot say: other programs may give other ids");
  }
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
