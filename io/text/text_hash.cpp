#include "io/text/text_hash.h"

#include <xxhash.h>

#include <new>

namespace chainrule::io::text {

struct TextHash::State {
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> xxh3{XXH3_createState(), &XXH3_freeState};
};

TextHash::TextHash() : state_(std::make_unique<State>()) {
  if (!state_->xxh3 || XXH3_64bits_reset(state_->xxh3.get()) != XXH_OK) throw std::bad_alloc();
}
TextHash::TextHash(TextHash&&) noexcept = default;
TextHash& TextHash::operator=(TextHash&&) noexcept = default;
TextHash::~TextHash() = default;

void TextHash::add(std::string_view part) { XXH3_64bits_update(state_->xxh3.get(), part.data(), part.size()); }

std::uint64_t TextHash::value() const { return XXH3_64bits_digest(state_->xxh3.get()); }

std::uint64_t text_hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace chainrule::io::text
