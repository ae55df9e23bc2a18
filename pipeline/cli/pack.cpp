#include "pipeline/pack/pack.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/quote.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/text_files.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/show/legible.h"

namespace chainrule::pipeline::cli {
namespace {

[[noreturn]] void fail_usage(const std::string& message) { throw failure::Error(failure::ExitCode::usage, message); }

pack::DomainPath parse_domain(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    fail_usage(fmt::format("--domain {}: write NAME=PATH", text));
  }
  const std::string name = text.substr(0, equals);
  if (std::any_of(name.begin(), name.end(), [](unsigned char each) { return each < 0x20 || each == 0x7F; })) {
    fail_usage("--domain: a name holds no control characters");
  }
  if (show::valid_utf8(name) != name) fail_usage(fmt::format("--domain {}: a name is UTF-8", io::in_quotes(name)));
  return {name, text.substr(equals + 1)};
}

std::string table_of(const pack::PackedSet& set) {
  std::string text = fmt::format("{}\n  {:<20} {:>12} {:>15} {:>15} {:>12}\n", set.folder.string(), "domain",
                                 "documents", "tokens", "bytes of text", "bytes/token");
  const auto row = [&text](const std::string& name, std::uint64_t documents, std::uint64_t tokens,
                           std::uint64_t bytes) {
    text += fmt::format("  {:<20} {:>12} {:>15} {:>15} {:>12.3f}\n", name, documents, tokens, bytes,
                        static_cast<double>(bytes) / static_cast<double>(tokens));
  };
  for (const auto& each : set.index.domains) row(each.name, each.documents, each.tokens, each.bytes);
  row("all", set.index.document_count(), set.index.token_count(), set.index.text_bytes());
  text +=
      fmt::format("  {} shard{}, vocabulary {}, fingerprint {}\n", set.index.shards.size(),
                  set.index.shards.size() == 1 ? "" : "s", set.index.header.vocabulary_size, set.index.fingerprint());
  if (set.empty_documents != 0) {
    text +=
        fmt::format("  {} of the documents are empty: each is kept as its end-of-text alone\n", set.empty_documents);
  }
  if (set.added_ends != 0) {
    text += fmt::format("  {} of the documents came as tokens without an end-of-text: it was added\n", set.added_ends);
  }
  return text;
}

}  // namespace

failure::ExitCode run_pack(const Arguments& arguments) {
  pack::PackOptions pack_options;
  std::string tokenizer;
  std::string output;
  std::vector<std::string> domains;
  std::int64_t shard_tokens = static_cast<std::int64_t>(pack_options.shard_tokens);
  double held_out = 0;
  CommandOptions options(
      "chainrule pack --tokenizer T --input PATH... [--domain NAME=PATH ...] --output DIR",
      fmt::format("Tokenises text into a data set. Any number of ranks makes the same bytes.\n{}\n"
                  "Token files of llm.c, Megatron and nanoGPT (by --format) are taken as they are; --tokenizer is "
                  "whose tokens\nthey hold. They may be named by what their names begin with.",
                  TextFiles::help()));
  TextFiles text_files(true);
  auto& input = options.group("Input");
  input.add_options()("tokenizer", po::value(&tokenizer)->required()->value_name("T"),
                      "tokenizer.json, or a folder with one, or with vocab.json and merges.txt")(
      "input", po::value(&pack_options.inputs)->multitoken()->value_name("PATH..."),
      "files and folders, in order; - is standard input, JSON lines")(
      "domain", po::value(&domains)->multitoken()->value_name("NAME=PATH..."),
      "as --input PATH, and names the domain of the documents in and below PATH (others: 'default')");
  text_files.add_to(input);
  input.add_options()("count-field", po::value(&pack_options.fields.counted)->value_name("NAME"),
                      "member of a JSON line on which bytes and words are counted (default: the text)");
  options.group("Output").add_options()("output", po::value(&output)->required()->value_name("DIR"),
                                        "a new or empty folder")(
      "held-out", po::value(&held_out)->value_name("FRACTION"),
      "between 0 and 1: write DIR/train and DIR/held-out; a document is held out by the XXH3-64 of its bytes")(
      "shard-tokens", po::value(&shard_tokens)->default_value(shard_tokens)->value_name("N"),
      "tokens a shard, about: documents are not split")(
      "deflate", po::value(&pack_options.deflate)->default_value(0)->value_name("LEVEL"),
      "0 none to 9: smaller files (about 80 %), slower to write and read");
  if (!options.parse(arguments)) return failure::ExitCode::done;
  if (pack_options.inputs.empty() && domains.empty()) fail_usage("name text with --input PATH or --domain NAME=PATH");
  if (options.given("count-field") && pack_options.fields.counted.empty()) fail_usage("--count-field needs a name");
  for (const auto& text : domains) pack_options.domains.push_back(parse_domain(text));
  if (output.empty()) fail_usage("--output needs a folder's name");
  if (shard_tokens < 1) fail_usage(fmt::format("--shard-tokens {}: at least 1", shard_tokens));
  if (pack_options.deflate < 0 || pack_options.deflate > 9) {
    fail_usage(fmt::format("--deflate {}: from 0 to 9", pack_options.deflate));
  }
  if (options.given("held-out")) {
    if (!(held_out > 0 && held_out < 1)) fail_usage(fmt::format("--held-out {}: between 0 and 1", held_out));
    pack_options.held_out = held_out;
  }
  const io::text::FindOptions find_options = text_files.find_options();
  pack_options.fields.text = find_options.text_field;
  pack_options.format = find_options.format;
  pack_options.list_skipped = text_files.list_skipped();
  pack_options.tokenizer = tokenizer;
  pack_options.output = output;
  pack_options.shard_tokens = static_cast<std::uint64_t>(shard_tokens);

  const comm::Session session;
  options.require_same(session.world());
  for (const auto& set : pack::pack(session.world(), pack_options)) run::print(table_of(set));
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
