#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "io/hdf5/file.h"
#include "pipeline/evaluate/tally/token_sink.h"

namespace chainrule::pipeline::evaluate::tally {

inline constexpr const char* kTokenFileName = "tokens.h5";
inline constexpr io::hdf5::FileFormat kTokenFileFormat = {"chainrule token scores", 1};

/// Every scored token in a file (HDF5), in the order of windows: `nll` (f64, nats), `token` (u32, id), `position` (u64,
/// in the stream), `document` (u64), `entropy` (f32, nats) and `likelier` (u32, tokens that were likelier), [tokens]
/// each; beside a baseline also `kl` (f64, nats) and `baseline_nll` (f64, nats).
class TokenFile final : public TokenSink {
 public:
  /// tokens: how many will come; with_baseline: and whether each with what a baseline says of it. Throws io::Error
  /// cannot_create.
  TokenFile(const std::filesystem::path& path, std::uint64_t tokens, bool with_baseline = false);
  /// Throws io::Error input_output.
  void add(const ScoredToken& token) override;
  /// Throws std::logic_error where other than that many came, and io::Error input_output.
  void finish();

 private:
  void flush();

  io::hdf5::File file_;
  struct Columns {
    io::hdf5::Dataset nll, token, position, document, entropy, likelier;
  };
  struct BaselineColumns {
    io::hdf5::Dataset kl, nll;
  };
  Columns columns_;
  std::optional<BaselineColumns> baseline_;
  std::uint64_t tokens_;
  std::uint64_t written_ = 0;
  std::vector<ScoredToken> pending_;
};

}  // namespace chainrule::pipeline::evaluate::tally
