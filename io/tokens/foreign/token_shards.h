#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/tokens/foreign/token_file.h"
#include "io/tokens/foreign/token_type.h"

namespace chainrule::io::tokens::foreign {

/// Files of one layout, in the order of the stream that they make.
struct TokenShards {
  Layout layout = Layout::llmc;
  std::vector<std::filesystem::path> files;  ///< each .bin
};

/// The index that lies beside a Megatron .bin: the same name with .idx.
std::filesystem::path index_beside(const std::filesystem::path& file);

/// What a file is: llm.c's tokens by its first bytes, one of Megatron's two files by the first bytes of its index.
/// nanoGPT's files cannot be told from others. Throws Error (missing_input, input_output).
std::optional<Layout> layout_of(const std::filesystem::path& file);

/// Whether a file is the index of a Megatron .bin that lies beside it.
bool is_megatron_index(const std::filesystem::path& file);

/// The token files that a path stands for: an llm.c .bin; a Megatron .bin or .idx, or what stands before these endings;
/// what llm.c .bin files begin with; a folder of such files, in the order of their names. Nothing where it is none of
/// these. Throws Error: bad_data for a folder that holds .bin files of two kinds, or some of none; missing_input.
std::optional<TokenShards> find_token_shards(const std::filesystem::path& path);

/// Where the tokens of a file lie, and for Megatron its documents.
struct ShardContent {
  TokenPlace place;
  std::vector<std::uint64_t> documents;  ///< Megatron: [documents + 1] first tokens, then the token count
};

/// Reads a file's header or index and holds it against the file's size. Throws Error (missing_input, bad_data) naming
/// file and place.
ShardContent open_shard(Layout layout, const std::filesystem::path& file);

}  // namespace chainrule::io::tokens::foreign
