#include "pipeline/pack/pack.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/text/unpacking.h"
#include "io/tokenizer/tokenizer.h"
#include "io/tokens/data_set.h"
#include "io/tokens/data_set_pair.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/pack/encode_chunks.h"
#include "pipeline/pack/inputs.h"
#include "pipeline/pack/partial_folder.h"
#include "pipeline/pack/placed_shards.h"
#include "pipeline/pack/shard_plan.h"
#include "pipeline/pack/write_shard.h"
#include "pipeline/run/progress.h"

namespace chainrule::pipeline::pack {
namespace {

namespace fs = std::filesystem;

/// Every rank's values on every rank, in rank order.
template <class Value>
std::vector<Value> all_gathered(const comm::Communicator& communicator, const std::vector<Value>& mine) {
  static_assert(std::is_trivially_copyable_v<Value>);
  std::vector<Value> all;
  for (const auto& bytes : communicator.all_gather(std::as_bytes(std::span(mine)))) {
    const std::size_t before = all.size();
    all.resize(before + bytes.size() / sizeof(Value));
    if (!bytes.empty()) std::memcpy(all.data() + before, bytes.data(), bytes.size());
  }
  return all;
}

/// The files are those that the first rank found, as far as their sizes tell.
void check_same_files(const std::vector<io::text::TextFile>& files) {
  for (const io::text::TextFile& file : files) {
    if (file.path == io::text::kStandardInput) continue;
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(file.path, error);
    if (error) {
      throw io::Error(io::ErrorKind::missing_input,
                      fmt::format("cannot look at '{}', which rank 0 found: {}", file.path.string(), error.message()));
    }
    if (bytes != file.bytes) {
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("'{}' has {} bytes here and {} on rank 0", file.path.string(), bytes, file.bytes));
    }
  }
}

/// One packing, phase by phase; every phase is agreed upon before the next begins.
class Packing {
 public:
  Packing(const comm::Communicator& communicator, const PackOptions& options)
      : communicator_(communicator), options_(options), first_(communicator.rank() == 0) {}

  std::vector<PackedSet> run() {
    find();
    PartialFolder partial(communicator_, options_.output);
    const fs::path spill = partial.path() / "spill";
    comm::agree_on_first(communicator_, [&] {
      fs::create_directory(spill);
      for (const auto& name : set_names()) fs::create_directories(partial.path() / name);
    });
    encode(partial, spill);
    std::vector<PackedSet> sets = write(partial, spill);
    comm::agree_on_first(communicator_, [&] {
      fs::remove_all(spill);
      for (auto& set : sets) finish_set(set);
      io::files::sync_path(partial.path());
    });
    partial.commit();
    for (std::size_t set = 0; set < sets.size(); ++set) {  // they have moved
      sets[set].folder = set_names()[set].empty() ? options_.output : options_.output / set_names()[set];
    }
    return sets;
  }

 private:
  /// Folders of the sets below the output.
  std::vector<std::string> set_names() const {
    if (!options_.held_out) return {""};
    return {io::tokens::kTrainFolder, io::tokens::kHeldOutFolder};
  }

  void find() {
    std::string digest;  // of all of it: its fingerprint does not tell which tokens go around a text
    comm::agree(communicator_, [&] {
      tokenizer_.emplace(io::tokenizer::Tokenizer::load(options_.tokenizer));
      digest = io::files::text_digest(tokenizer_->to_json());
    });
    comm::require_same(communicator_, failure::ExitCode::bad_data, "the tokenizer", digest);
    comm::agree_on_first(communicator_, [&] {
      inputs_ = find_inputs(options_);
      if (inputs_.files.empty())
        throw failure::Error(failure::ExitCode::bad_data, "the inputs hold no file: there is nothing to pack");
    });
    inputs_ = PackInputs::from_message(communicator_.broadcast(inputs_.to_message()));
    comm::agree(communicator_, [&] { check_same_files(inputs_.files); });
    chunks_ = cut_into_chunks(inputs_.files, suitable_chunk_bytes(inputs_.files));
  }

  void encode(const PartialFolder& partial, const fs::path& spill) {
    const std::vector<int> takers = assign_chunks(chunks_, communicator_.size());
    std::uint64_t all_bytes = 0;
    std::uint64_t own_bytes = 0;
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      all_bytes += chunks_[i].bytes;
      if (takers[i] == communicator_.rank()) own_bytes += chunks_[i].bytes;
    }
    // Shares are equal in bytes: the first rank's progress stands for all.
    const double scale = static_cast<double>(all_bytes) / static_cast<double>(std::max<std::uint64_t>(own_bytes, 1));
    run::Progress progress("tokenising", "bytes", all_bytes, first_);
    std::vector<ChunkResult> mine;
    partial.agree([&] {
      mine = encode_chunks({options_, inputs_, *tokenizer_, chunks_, spill, [&] { return partial.failed(); },
                            [&](std::uint64_t bytes) {
                              const double of_all =
                                  static_cast<double>(bytes) * scale;  // packed text outgrows its file
                              progress.update(std::min(static_cast<std::uint64_t>(of_all), all_bytes));
                            }},
                           takers, communicator_.rank());
    });
    progress.finish(all_bytes);
    results_ = all_gathered(communicator_, mine);
    std::sort(results_.begin(), results_.end(),
              [](const ChunkResult& a, const ChunkResult& b) { return a.chunk < b.chunk; });
  }

  /// Returns the sets on the first rank.
  std::vector<PackedSet> write(const PartialFolder& partial, const fs::path& spill) {
    const ShardSource source{options_,
                             inputs_,
                             results_,
                             {tokenizer_->fingerprint(), tokenizer_->vocabulary_size(), tokenizer_->end_of_text()},
                             spill};
    std::vector<ShardPlan> plans;
    std::vector<std::vector<std::uint64_t>> slots;
    for (int set = 0; set < static_cast<int>(set_names().size()); ++set) {
      plans.emplace_back(chunks_, results_, set, options_.shard_tokens);
      std::vector<std::uint64_t> mine;
      partial.agree([&] { mine = used_slots(source, plans.back(), communicator_.rank()); });
      slots.push_back(all_gathered(communicator_, mine));
      std::sort(slots.back().begin(), slots.back().end());
      slots.back().erase(std::unique(slots.back().begin(), slots.back().end()), slots.back().end());
    }
    comm::agree(communicator_, [&] { check_not_empty(plans); });
    std::vector<PlacedShard> mine;
    partial.agree([&] {
      std::size_t turn = 0;
      for (std::size_t set = 0; set < plans.size(); ++set) {
        for (std::size_t number = 0; number < slots[set].size(); ++number, ++turn) {
          if (turn % static_cast<std::size_t>(communicator_.size()) != static_cast<std::size_t>(communicator_.rank()))
            continue;
          if (partial.failed()) return;
          mine.push_back({set, number,
                          write_shard(source, plans[set], slots[set][number], partial.path() / set_names()[set],
                                      fmt::format("shard-{:05}.h5", number))});
        }
      }
    });
    const std::string message = to_message(mine);
    std::vector<PlacedShard> shards;
    for (const auto& bytes : communicator_.gather(std::as_bytes(std::span(message)))) {
      const auto theirs = from_message(bytes);
      shards.insert(shards.end(), theirs.begin(), theirs.end());
    }
    std::vector<PackedSet> sets;
    for (std::size_t set = 0; first_ && set < plans.size(); ++set) {
      PackedSet packed{partial.path() / set_names()[set], index_of(set, source.header, shards), 0, 0};
      for (const auto& result : results_) {
        packed.empty_documents += result.empty_documents[set];
        packed.added_ends += result.added_ends[set];
      }
      sets.push_back(std::move(packed));
    }
    return sets;
  }

  void check_not_empty(const std::vector<ShardPlan>& plans) const {
    std::uint64_t documents = 0;
    for (const auto& plan : plans) documents += plan.document_count();
    if (documents == 0)
      throw failure::Error(failure::ExitCode::bad_data, "the inputs hold no document: there is nothing to pack");
    for (std::size_t set = 0; set < plans.size(); ++set) {
      if (plans[set].document_count() == 0) {
        throw failure::Error(
            failure::ExitCode::bad_data,
            fmt::format("--held-out {} of {} documents leaves '{}' without any: change the fraction or give more "
                        "documents",
                        *options_.held_out, documents, set_names()[set]));
      }
    }
  }

  /// The first rank writes what makes the shards a data set, and opens it as a reader will.
  void finish_set(PackedSet& set) const {
    tokenizer_->save(set.folder / "tokenizer.json");
    set.index.start_token = tokenizer_->start_token();
    set.index.tokenizer_digest = io::files::file_digest(set.folder / "tokenizer.json");
    io::files::write_file_atomically(set.folder / io::tokens::kIndexFile, set.index.to_json());
    io::tokens::DataSet::open(set.folder);
    io::files::sync_path(set.folder);
  }

  const comm::Communicator& communicator_;
  const PackOptions& options_;
  bool first_;
  std::optional<io::tokenizer::Tokenizer> tokenizer_;
  PackInputs inputs_;
  std::vector<WorkChunk> chunks_;
  std::vector<ChunkResult> results_;  ///< one a chunk, in chunk order
};

}  // namespace

std::vector<PackedSet> pack(const comm::Communicator& communicator, const PackOptions& options) {
  return Packing(communicator, options).run();
}

}  // namespace chainrule::pipeline::pack
