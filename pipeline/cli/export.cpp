#include <fmt/format.h>

#include <limits>

#include "io/quote.h"
#include "io/tokens/data_set_pair.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/pack/export_tokens.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {
namespace {

using io::tokens::foreign::Layout;

Layout layout_of(const std::string& name) {
  if (name == "llm.c") return Layout::llmc;
  if (name == "megatron") return Layout::megatron;
  throw failure::Error(failure::ExitCode::usage, fmt::format("--format {}: llm.c or megatron", io::in_quotes(name)));
}

}  // namespace

failure::ExitCode run_export(const Arguments& arguments) {
  pack::ExportOptions asked;
  std::string data;
  std::string output;
  std::string format;
  auto shard_tokens = static_cast<std::int64_t>(asked.shard_tokens);
  CommandOptions options("chainrule export --data DIR --format llm.c|megatron --output DIR",
                         "Writes a data set as token files of another system, which chainrule pack reads as the same "
                         "documents.\nDomains, sources and counts of text are not part of such files.");
  options.group("Export").add_options()("data", po::value(&data)->required()->value_name("DIR"),
                                        "a data set made by chainrule pack")(
      "format", po::value(&format)->required()->value_name("llm.c|megatron"),
      "llm.c: files tokens_000000.bin ..., u16 tokens for vocabularies up to "
      "65,536, else u32; megatron: tokens_document.bin and .idx, u16 or i32")(
      "output", po::value(&output)->required()->value_name("DIR"), "a new or empty folder")(
      "shard-tokens", po::value(&shard_tokens)->default_value(shard_tokens)->value_name("N"),
      "tokens of an llm.c file");
  if (!options.parse(arguments)) return failure::ExitCode::done;
  check_range("shard-tokens", shard_tokens, 1, std::numeric_limits<std::int32_t>::max());
  if (output.empty()) throw failure::Error(failure::ExitCode::usage, "--output needs a folder's name");
  if (io::tokens::find_pair(data).whole()) {
    throw failure::Error(failure::ExitCode::usage, "--data " + io::tokens::name_one_of_pair(data));
  }
  asked.layout = layout_of(format);
  asked.data = data;
  asked.output = output;
  asked.shard_tokens = static_cast<std::uint64_t>(shard_tokens);

  const comm::Session session;
  options.require_same(session.world());
  const pack::Exported exported = pack::export_tokens(session.world(), asked);
  if (session.world().rank() == 0) {
    run::print(fmt::format("{}: {} documents, {} tokens in {} {} file{}, read back as the same\n", output,
                           exported.documents, exported.tokens, exported.files, format,
                           exported.files == 1 ? "" : "s"));
  }
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
