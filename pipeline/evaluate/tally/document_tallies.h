#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "io/files/unnamed_file.h"
#include "pipeline/evaluate/tally/token_sink.h"
#include "pipeline/evaluate/tally/token_tally.h"

namespace chainrule::pipeline::evaluate::tally {

/// The tallies of documents, as many as there may be: most of them lie in a file without a name.
class DocumentTallies final : public TokenSink {
 public:
  /// folder: where that file is made, once it is needed.
  explicit DocumentTallies(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Documents ascend. Throws io::Error (cannot_create, input_output).
  void add(const ScoredToken& token) override;

  /// Calls visit for each document that has a scored token, in order. Throws io::Error input_output.
  void for_each(const std::function<void(std::uint64_t document, const TokenTally& tally)>& visit) const;

 private:
  struct Entry {
    std::uint64_t document = 0;
    std::array<std::uint64_t, kTallyNumbers> numbers{};
  };
  void close_document();
  void spill();

  std::filesystem::path folder_;
  std::uint64_t document_ = 0;  ///< the one that tally_ is of
  TokenTally tally_;
  bool has_tally_ = false;
  std::vector<Entry> entries_;  ///< behind those in file_
  std::optional<io::files::UnnamedFile> file_;
};

}  // namespace chainrule::pipeline::evaluate::tally
