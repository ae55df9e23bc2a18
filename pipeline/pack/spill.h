#pragma once
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace chainrule::pipeline::pack {

/// A tokenised document on its way to its shard.
struct SpilledDocument {
  std::uint64_t tokens = 0;  ///< end-of-text included
  std::uint64_t bytes = 0;
  std::uint64_t words = 0;
  std::uint64_t text_hash = 0;
  std::uint64_t line = 0;  ///< counted from the start of its piece of the file
  std::uint64_t file = 0;  ///< index into PackInputs::files
};

/// A rank's tokenised documents of one data set, in a pair of files that any rank reads afterwards. Scratch space, in
/// this machine's byte order.
class SpillWriter {
 public:
  /// Throws io::Error cannot_create.
  SpillWriter(const std::filesystem::path& folder, int rank, int set);
  /// Tokens of the next document, which may come in parts. Throws io::Error input_output.
  void append_tokens(std::span<const std::uint32_t> tokens);
  /// The document whose tokens have come.
  void append(const SpilledDocument& document);
  void close();

  std::uint64_t documents() const { return documents_; }
  std::uint64_t tokens() const { return tokens_; }

 private:
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  std::filesystem::path folder_;
  File document_file_;
  File token_file_;
  std::uint64_t documents_ = 0;
  std::uint64_t tokens_ = 0;
};

/// Documents [first, first + count) of a rank's spill. Throws io::Error (missing_input, input_output).
std::vector<SpilledDocument> read_spilled_documents(const std::filesystem::path& folder, int rank, int set,
                                                    std::uint64_t first, std::uint64_t count);
/// Tokens [first, first + tokens.size()) of a rank's spill.
void read_spilled_tokens(const std::filesystem::path& folder, int rank, int set, std::uint64_t first,
                         std::span<std::uint32_t> tokens);

}  // namespace chainrule::pipeline::pack
