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

  /// Of an evaluation beside a baseline; else these columns are empty.
  bool has_baseline = false;
  std::vector<double> kl;              ///< nats, of its distribution from the model's
  std::vector<double> baseline_nll;    ///< nats
  std::vector<std::uint8_t> same_top;  ///< 1: both have the same likeliest token

  std::size_t tokens() const { return nll.size(); }
  void resize(std::size_t tokens, bool with_baseline = false);
  bool operator==(const UnitResult&) const = default;
};

/// Bytes of a unit's record: what travels between ranks, lies in a journal, and is merged from parts.
std::size_t record_bytes(std::uint64_t tokens, bool has_baseline);

/// A record begins with two numbers: the unit, and the tokens, whose highest bit says whether a baseline has columns.
struct RecordHead {
  std::uint64_t unit = 0;
  std::uint64_t tokens = 0;
  bool has_baseline = false;
};
inline constexpr std::size_t kRecordHeadBytes = 2 * sizeof(std::uint64_t);
/// bytes: at least kRecordHeadBytes.
RecordHead read_head(std::span<const std::byte> bytes);

/// The record: unit and tokens, the four columns, a baseline's three where there is one, and the XXH3-128 of all that.
std::vector<std::byte> to_record(const UnitResult& result);
/// Whether bytes are such a record, whole and undamaged; then result is what it says.
bool read_record(std::span<const std::byte> bytes, UnitResult& result);

}  // namespace chainrule::pipeline::evaluate::journal
