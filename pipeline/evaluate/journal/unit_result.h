#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace chainrule::pipeline::evaluate::journal {

/// What a work unit says of its scored tokens, in stream order: [tokens] each.
struct UnitResult {
  std::uint64_t unit = 0;
  std::vector<double> nll;             ///< nats
  std::vector<float> entropy;          ///< nats, of the distribution the token was predicted with
  std::vector<float> top_probability;  ///< of that distribution's likeliest token
  std::vector<std::uint32_t> rank;     ///< tokens that were likelier

  std::size_t tokens() const { return nll.size(); }
  void resize(std::size_t tokens);
  bool operator==(const UnitResult&) const = default;
};

/// Bytes of a unit's record: what travels between ranks, lies in a journal, and is merged from parts.
std::size_t record_bytes(std::uint64_t tokens);

/// A record begins with these numbers.
struct RecordHead {
  std::uint64_t unit = 0;
  std::uint64_t tokens = 0;
};
inline constexpr std::size_t kRecordHeadBytes = 2 * sizeof(std::uint64_t);
/// bytes: at least kRecordHeadBytes.
RecordHead read_head(std::span<const std::byte> bytes);

/// The record: unit and tokens, the four columns, and the XXH3-128 of all that.
std::vector<std::byte> to_record(const UnitResult& result);
/// Whether bytes are such a record, whole and undamaged; then result is what it says.
bool read_record(std::span<const std::byte> bytes, UnitResult& result);

}  // namespace chainrule::pipeline::evaluate::journal
