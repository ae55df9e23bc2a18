#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/text/find_text.h"
#include "io/text/text_source.h"
#include "io/tokens/dataset_index.h"
#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::pack {

/// A domain's name, given to the documents in and below path.
struct DomainPath {
  std::string name;
  std::string path;
};

struct PackOptions {
  std::filesystem::path tokenizer;          ///< see io::Tokenizer::load
  std::vector<std::string> inputs;          ///< files and folders, in order; then the domains' paths
  std::vector<DomainPath> domains;          ///< of the paths that hold a file the deepest one names it; else `default`
  std::filesystem::path output;             ///< made; may be there only as an empty folder
  std::uint64_t shard_tokens = 20'000'000;  ///< a document goes to shard floor(its first token / shard_tokens)
  std::optional<double> held_out;           ///< in (0, 1): writes output/train and output/held-out
  int deflate = 0;                          ///< 0 none, else 1 to 9
  io::text::Fields fields;                  ///< members of a JSON line
  io::text::FormatChoice format = io::text::FormatChoice::by_content;  ///< how the documents of a file are told
  bool list_skipped = false;  ///< name each thing that is left out, not only their number
};

/// A data set that was written.
struct PackedSet {
  std::filesystem::path folder;
  io::tokens::DataSetIndex index;
  std::uint64_t empty_documents = 0;  ///< documents of no bytes; each is kept as its end-of-text alone
  std::uint64_t added_ends = 0;       ///< documents of token files that lacked the end-of-text which was added
};

/// Tokenises text, or takes tokens as they are, into one data set, or into two where documents are held out. The bytes
/// written are the same for any number of ranks; they appear at options.output in one rename, when they are whole and
/// verified. Memory is bounded by the largest document (a plain file of more than 64 MiB is encoded in parts where the
/// tokenizer can be), a record of 40 bytes for each document of a shard, and one of 8
/// for each of a token file. Returns the sets on rank 0. Throws AgreedError on every rank. Collective.
std::vector<PackedSet> pack(const comm::Communicator& communicator, const PackOptions& options);

}  // namespace chainrule::pipeline::pack
