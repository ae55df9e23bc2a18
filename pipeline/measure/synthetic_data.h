#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace chainrule::pipeline::measure {

/// Text that looks to a tokenizer like English: words of a skewed distribution, punctuation, lines.
std::string generated_text(std::size_t bytes);

/// Writes a data set of one shard with `tokens` random tokens of a vocabulary, in documents of about 1000.
void write_random_data_set(const std::filesystem::path& folder, std::uint32_t vocabulary_size, std::uint64_t tokens);

}  // namespace chainrule::pipeline::measure
