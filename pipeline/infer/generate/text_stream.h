#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::pipeline::infer::generate {

/// The text of a sample as its tokens come: gives out whole UTF-8 characters that no stop text can begin in.
class TextStream {
 public:
  /// stops: texts that end the sample and are not part of it, none of them empty.
  explicit TextStream(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Appends a token's bytes; returns what may now be shown. After a stop text was found, nothing more comes.
  std::string push(std::string_view bytes);
  /// The sample has ended: returns what push still held back.
  std::string finish();

  bool stopped() const { return stopped_; }
  /// All text given out so far.
  std::string_view text() const { return std::string_view(text_).substr(0, given_); }

 private:
  std::string give(std::size_t end);

  std::vector<std::string> stops_;
  std::string text_;
  std::size_t given_ = 0;
  bool stopped_ = false;
};

}  // namespace chainrule::pipeline::infer::generate
