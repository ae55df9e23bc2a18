#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "io/tokenizer/tokenizer.h"

namespace chainrule::io::tokenizer {

/// The tokens of pieces met before: pieces of a language repeat, so most need no merging. A fixed number of slots of
/// one cache line each, a new piece taking the place of an old one: 2 MiB whatever the text. One a thread.
class PieceCache {
 public:
  /// Longer pieces, and those of more tokens, are rare and are not kept.
  static constexpr std::size_t kMaximumBytes = 24;
  static constexpr std::size_t kMaximumTokens = 9;

  PieceCache() : slots_(kSlots) {}

  /// A piece as it is looked up; piece has 1 to kMaximumBytes bytes.
  struct Key {
    std::array<std::uint64_t, 3> bytes{};  ///< padded with zeros
    std::uint8_t length;
    explicit Key(std::string_view piece) : length(static_cast<std::uint8_t>(piece.size())) {
      std::memcpy(bytes.data(), piece.data(), piece.size());
    }
  };

  /// Its tokens; empty where it is not kept.
  std::span<const TokenId> find(const Key& key) const {
    const Slot& slot = slots_[place(key)];
    const bool same = slot.length == key.length && slot.bytes[0] == key.bytes[0] && slot.bytes[1] == key.bytes[1] &&
                      slot.bytes[2] == key.bytes[2];
    if (!same) return {};
    return {slot.tokens.data(), slot.count};
  }

  /// Keeps it, where it has at most kMaximumTokens tokens.
  void keep(const Key& key, std::span<const TokenId> tokens) {
    if (tokens.size() > kMaximumTokens) return;
    Slot& slot = slots_[place(key)];
    slot.bytes = key.bytes;
    slot.length = key.length;
    slot.count = static_cast<std::uint8_t>(tokens.size());
    std::copy(tokens.begin(), tokens.end(), slot.tokens.begin());
  }

 private:
  static constexpr std::size_t kSlots = 1U << 15U;

  struct alignas(64) Slot {
    std::array<std::uint64_t, 3> bytes{};
    std::uint8_t length = 0;  // 0: empty
    std::uint8_t count = 0;
    std::array<TokenId, kMaximumTokens> tokens{};
  };
  static_assert(sizeof(Slot) == 64);

  static std::size_t place(const Key& key) {
    std::uint64_t hash = key.bytes[0] ^ (std::uint64_t{key.length} << 56U);
    hash = (hash ^ (hash >> 32U)) * 0x9E3779B97F4A7C15ULL;
    hash = ((hash ^ key.bytes[1]) ^ (hash >> 32U)) * 0xD6E8FEB86659FD93ULL;
    hash = ((hash ^ key.bytes[2]) ^ (hash >> 32U)) * 0xD6E8FEB86659FD93ULL;
    return static_cast<std::size_t>(hash >> 49U);
  }

  std::vector<Slot> slots_;
};

}  // namespace chainrule::io::tokenizer
