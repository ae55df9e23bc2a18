#include "pipeline/evaluate/tally/token_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "io/files/atomic_file.h"

namespace chainrule::pipeline::evaluate::tally {
namespace {

constexpr std::size_t kChunkTokens = 16'384;

template <class Value, class Of>
void write_column(io::hdf5::Dataset& column, std::uint64_t first, const std::vector<ScoredToken>& tokens,
                  const Of& of) {
  std::vector<Value> values(tokens.size());
  std::transform(tokens.begin(), tokens.end(), values.begin(), of);
  column.write<Value>(first, values);
}

}  // namespace

TokenFile::TokenFile(const std::filesystem::path& path, std::uint64_t tokens, bool with_baseline)
    : file_(io::hdf5::File::create(path)), tokens_(tokens) {
  const io::hdf5::DatasetLayout layout{.chunk_rows = std::clamp<std::uint64_t>(tokens, 1, kChunkTokens)};
  const auto column = [&](const char* name, io::hdf5::ElementType type) {
    return file_.create_dataset(name, type, {tokens}, layout);
  };
  using io::hdf5::ElementType;
  columns_ = {column("nll", ElementType::f64),      column("token", ElementType::u32),
              column("position", ElementType::u64), column("document", ElementType::u64),
              column("entropy", ElementType::f32),  column("likelier", ElementType::u32)};
  if (with_baseline) baseline_ = {column("kl", ElementType::f64), column("baseline_nll", ElementType::f64)};
  file_.set_format(kTokenFileFormat);
  pending_.reserve(kChunkTokens);
}

void TokenFile::add(const ScoredToken& token) {
  pending_.push_back(token);
  if (pending_.size() == kChunkTokens) flush();
}

void TokenFile::flush() {
  write_column<double>(columns_.nll, written_, pending_, [](const auto& token) { return token.nats; });
  write_column<std::uint32_t>(columns_.token, written_, pending_, [](const auto& token) { return token.token; });
  write_column<std::uint64_t>(columns_.position, written_, pending_, [](const auto& token) { return token.position; });
  write_column<std::uint64_t>(columns_.document, written_, pending_, [](const auto& token) { return token.document; });
  write_column<float>(columns_.entropy, written_, pending_, [](const auto& token) { return token.entropy_nats; });
  write_column<std::uint32_t>(columns_.likelier, written_, pending_, [](const auto& token) { return token.likelier; });
  if (baseline_) {
    write_column<double>(baseline_->kl, written_, pending_, [](const auto& token) { return token.baseline->kl; });
    write_column<double>(baseline_->nll, written_, pending_, [](const auto& token) { return token.baseline->nats; });
  }
  written_ += pending_.size();
  pending_.clear();
}

void TokenFile::finish() {
  flush();
  if (written_ != tokens_) throw std::logic_error(fmt::format("{} tokens were scored, not {}", written_, tokens_));
  columns_ = {};
  baseline_.reset();
  file_.close();
  io::files::sync_path(file_.path());
}

}  // namespace chainrule::pipeline::evaluate::tally
