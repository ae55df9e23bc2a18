#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

namespace chainrule::io::text {

/// XXH3-64 of a text that comes in parts: which text it is.
class TextHash {
 public:
  TextHash();
  TextHash(TextHash&&) noexcept;
  TextHash& operator=(TextHash&&) noexcept;
  ~TextHash();
  void add(std::string_view part);
  std::uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The same of a text that is at hand.
std::uint64_t text_hash(std::string_view text);

}  // namespace chainrule::io::text
