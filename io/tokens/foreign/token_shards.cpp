#include "io/tokens/foreign/token_shards.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "io/tokens/foreign/llmc_header.h"
#include "io/tokens/foreign/megatron_index.h"

namespace chainrule::io::tokens::foreign {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_in(const std::string& text) { return std::as_bytes(std::span(text)); }

bool is_file(const fs::path& path) { return files::presence_of(path) == files::Presence::file; }

fs::path with_ending(const fs::path& path, const char* ending) {
  fs::path whole = path;
  return whole += ending;
}

/// The .bin files among paths; all of one layout, or none of any.
std::optional<TokenShards> shards_among(const std::vector<fs::path>& paths, const fs::path& given) {
  std::optional<TokenShards> shards;
  std::vector<fs::path> others;
  for (const fs::path& each : paths) {
    if (each.extension() != ".bin" || !is_file(each)) continue;
    const std::optional<Layout> layout = layout_of(each);
    if (!layout) {
      others.push_back(each);
      continue;
    }
    if (!shards) shards.emplace(TokenShards{*layout, {}});
    if (shards->layout != *layout) {
      throw Error(ErrorKind::bad_data, fmt::format("{} holds tokens of {} and of {}: name those that are meant",
                                                   path_in_quotes(given), name_of(shards->layout), name_of(*layout)));
    }
    shards->files.push_back(each);
  }
  if (shards && !others.empty()) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{} is no file of {} tokens, as others of {} are", path_in_quotes(others.front()),
                            name_of(shards->layout), path_in_quotes(given)));
  }
  return shards;
}

/// What lies where a path points to nothing: files whose names it begins.
std::optional<TokenShards> shards_named_by(const fs::path& prefix) {
  if (const fs::path file = with_ending(prefix, ".bin"); is_file(file) && layout_of(file)) {
    return TokenShards{*layout_of(file), {file}};
  }
  std::vector<fs::path> begun;
  const fs::path folder = prefix.has_parent_path() ? prefix.parent_path() : fs::path(".");
  for (const fs::path& each : files::list_folder(folder)) {
    if (each.filename().native().starts_with(prefix.filename().native())) begun.push_back(each);
  }
  return prefix.has_filename() ? shards_among(begun, prefix) : std::nullopt;
}

}  // namespace

fs::path index_beside(const fs::path& file) { return fs::path(file).replace_extension(".idx"); }

std::optional<Layout> layout_of(const fs::path& file) {
  if (begins_as_llmc(bytes_in(beginning_of(file, sizeof(std::int32_t))))) return Layout::llmc;
  const bool is_part = file.extension() == ".bin" || file.extension() == ".idx";
  const fs::path index = index_beside(file);
  if (!is_part || !is_file(index) || !begins_as_megatron(bytes_in(beginning_of(index, 16)))) return std::nullopt;
  return Layout::megatron;
}

bool is_megatron_index(const fs::path& file) {
  return file.extension() == ".idx" && layout_of(file) == Layout::megatron &&
         is_file(fs::path(file).replace_extension(".bin"));
}

std::optional<TokenShards> find_token_shards(const fs::path& path) {
  switch (files::presence_of(path)) {
    case files::Presence::absent: return shards_named_by(path);
    case files::Presence::folder: return shards_among(files::list_folder(path), path);
    case files::Presence::other: return std::nullopt;
    case files::Presence::file: break;
  }
  const std::optional<Layout> layout = layout_of(path);
  if (!layout) return std::nullopt;
  return TokenShards{*layout, {*layout == Layout::megatron ? fs::path(path).replace_extension(".bin") : path}};
}

ShardContent open_shard(Layout layout, const fs::path& file) {
  const std::uint64_t bytes = bytes_of(file);
  fs::path named = file;
  try {
    if (layout == Layout::llmc) {
      const LlmcHeader header = parse_llmc_header(bytes_in(beginning_of(file, kLlmcHeaderBytes)), bytes);
      return {{header.type, kLlmcHeaderBytes, header.tokens}, {}};
    }
    if (layout == Layout::megatron) {
      named = index_beside(file);
      MegatronIndex index = parse_megatron_index(bytes_in(files::read_file(named)), bytes);
      return {{index.type, 0, index.tokens()}, std::move(index.documents)};
    }
    if (bytes % sizeof(std::uint16_t) != 0) {
      throw Error(ErrorKind::bad_data, fmt::format("its {} bytes are no whole number of u16 tokens", bytes));
    }
    return {{{sizeof(std::uint16_t), false}, 0, bytes / sizeof(std::uint16_t)}, {}};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::bad_data) throw;
    throw Error(error.kind(), fmt::format("{} ({} tokens): {}", path_in_quotes(named), name_of(layout), error.what()));
  }
}

}  // namespace chainrule::io::tokens::foreign
