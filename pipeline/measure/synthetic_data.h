#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace chainrule::pipeline::measure {

/// A folder in the system's temporary folder, removed with this object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Text that looks to a tokenizer like English: words of a skewed distribution, punctuation, lines.
std::string generated_text(std::size_t bytes);

/// Writes a data set of one shard with `tokens` random tokens of a vocabulary, in documents of about 1000.
void write_random_data_set(const std::filesystem::path& folder, std::uint32_t vocabulary_size, std::uint64_t tokens);

}  // namespace chainrule::pipeline::measure
