#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace chainrule::io::text {

/// Words of a text as word perplexity counts them: Python's len(re.split(r"\s+", text)), so the runs of Unicode white
/// space plus one (an empty text has one). A byte that is not part of valid UTF-8 is no white space.
std::uint64_t count_words(std::string_view text);

/// The same of a text that comes in parts, cut anywhere.
class WordCounter {
 public:
  void add(std::string_view part);
  std::uint64_t words();  ///< of all parts

 private:
  friend std::uint64_t count_words(std::string_view text);
  void count(std::string_view text);  ///< of whole characters

  std::uint64_t words_ = 1;
  bool in_run_ = false;
  std::string rest_;  ///< the beginning of a character whose end has not come
};

}  // namespace chainrule::io::text
