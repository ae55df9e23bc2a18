#include "pipeline/pack/write_shard.h"

#include <algorithm>
#include <unordered_map>

#include "io/files/digest.h"
#include "io/tokens/shard_reader.h"
#include "io/tokens/shard_writer.h"
#include "pipeline/pack/spill.h"

namespace chainrule::pipeline::pack {
namespace {

constexpr std::uint64_t kBlockTokens = std::uint64_t{1} << 20U;

/// A run of tokens in a rank's spill.
struct Extent {
  int rank = 0;
  std::uint64_t first = 0;
  std::uint64_t tokens = 0;
};

/// A slot's documents gathered in stream order, and where their tokens lie.
struct Gathered {
  io::tokens::ShardDocuments documents;
  io::tokens::ShardSources sources;
  std::vector<io::tokens::DomainEntry> domains;
  std::vector<Extent> extents;
};

/// Calls visit(chunk, first token in the stream, document) for a chunk's documents.
template <class Visit>
void visit_spilled(const ShardSource& source, const ShardPlan& plan, std::size_t chunk, const Visit& visit) {
  const ChunkResult& result = source.results[chunk];
  const ChunkPart& part = result.parts[static_cast<std::size_t>(plan.set())];
  std::uint64_t token = plan.first_token(chunk);
  for (const auto& document : read_spilled_documents(source.spill_folder, static_cast<int>(result.rank), plan.set(),
                                                     part.first_document, part.documents)) {
    visit(token, document);
    token += document.tokens;
  }
}

Gathered gather(const ShardSource& source, const ShardPlan& plan, std::uint64_t slot) {
  Gathered all;
  all.documents.offsets.push_back(0);
  std::unordered_map<std::uint64_t, std::uint32_t> source_numbers;
  std::unordered_map<std::uint16_t, std::uint16_t> domain_numbers;
  const auto [first, end] = plan.chunks_of(slot);
  for (std::size_t chunk = first; chunk < end; ++chunk) {
    const ChunkResult& result = source.results[chunk];
    Extent extent{static_cast<int>(result.rank), 0, 0};
    visit_spilled(source, plan, chunk, [&](std::uint64_t token, const SpilledDocument& document) {
      if (plan.slot_of(token) != slot) return;
      if (extent.tokens == 0) {
        extent.first = result.parts[static_cast<std::size_t>(plan.set())].first_token + token - plan.first_token(chunk);
      }
      extent.tokens += document.tokens;
      const std::uint16_t domain = source.inputs.domain[document.file];
      const auto [number, is_new] = domain_numbers.emplace(domain, static_cast<std::uint16_t>(domain_numbers.size()));
      if (is_new) {
        all.documents.domains.push_back(source.inputs.domains[domain]);
        all.domains.push_back({source.inputs.domains[domain], 0, 0, 0, 0});
      }
      io::tokens::DomainEntry& tally = all.domains[number->second];
      tally.documents += 1;
      tally.tokens += document.tokens;
      tally.bytes += document.bytes;
      tally.words += document.words;
      all.documents.offsets.push_back(all.documents.offsets.back() + document.tokens);
      all.documents.bytes.push_back(document.bytes);
      all.documents.words.push_back(document.words);
      all.documents.text_hash.push_back(document.text_hash);
      all.documents.domain.push_back(number->second);
      const auto [file, is_new_file] =
          source_numbers.emplace(document.file, static_cast<std::uint32_t>(source_numbers.size()));
      if (is_new_file) all.sources.sources.push_back(source.inputs.files[document.file].name);
      all.sources.source.push_back(file->second);
      all.sources.line.push_back(plan.line_of(chunk, document.file, document.line));
    });
    if (extent.tokens != 0) all.extents.push_back(extent);
  }
  return all;
}

}  // namespace

std::vector<std::uint64_t> used_slots(const ShardSource& source, const ShardPlan& plan, int rank) {
  std::vector<std::uint64_t> slots;
  for (std::size_t chunk = 0; chunk < source.results.size(); ++chunk) {
    if (source.results[chunk].rank != rank) continue;
    visit_spilled(source, plan, chunk, [&](std::uint64_t token, const SpilledDocument&) {
      const std::uint64_t slot = plan.slot_of(token);
      if (slots.empty() || slots.back() != slot) slots.push_back(slot);
    });
  }
  return slots;
}

WrittenShard write_shard(const ShardSource& source, const ShardPlan& plan, std::uint64_t slot,
                         const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path path = folder / name;
  Gathered all = gather(source, plan, slot);
  const std::uint64_t token_count = all.documents.offsets.back();
  io::tokens::ShardWriter writer(path, source.header, token_count, source.options.deflate);
  std::vector<std::uint32_t> block;
  for (const Extent& extent : all.extents) {
    for (std::uint64_t at = 0; at < extent.tokens; at += block.size()) {
      block.resize(std::min(kBlockTokens, extent.tokens - at));
      read_spilled_tokens(source.spill_folder, extent.rank, plan.set(), extent.first + at, block);
      writer.append(block);
    }
  }
  writer.finish(all.documents, all.sources);
  io::tokens::ShardReader(path).verify();
  return {
      {name, token_count, all.documents.bytes.size(), std::filesystem::file_size(path), io::files::file_digest(path)},
      std::move(all.domains)};
}

}  // namespace chainrule::pipeline::pack
