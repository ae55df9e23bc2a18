#include "pipeline/evaluate/journal/unit_result.h"

#include <bit>
#include <cstring>
#include <iterator>
#include <string>

#include "io/files/digest.h"

namespace chainrule::pipeline::evaluate::journal {
namespace {

static_assert(std::endian::native == std::endian::little, "records lie least significant byte first");

constexpr std::size_t kDigestBytes = 32;  // hexadecimal digits
constexpr std::size_t kTokenBytes = sizeof(double) + 2 * sizeof(float) + sizeof(std::uint32_t);
constexpr std::size_t kBaselineBytes = 2 * sizeof(double) + sizeof(std::uint8_t);
constexpr std::size_t kLeastRecordBytes = kRecordHeadBytes + kDigestBytes;
constexpr std::uint64_t kHasBaseline = std::uint64_t{1} << 63U;

constexpr std::size_t token_bytes(bool has_baseline) { return kTokenBytes + (has_baseline ? kBaselineBytes : 0); }

std::string digest_of(std::span<const std::byte> bytes) {
  io::files::Digest digest;
  digest.update(bytes.data(), bytes.size());
  return digest.hexadecimal();
}

/// Copies values to the front of room, and lets go of that.
template <class Value>
void put(std::span<std::byte>& room, const Value* values, std::size_t count) {
  const std::size_t size = count * sizeof(Value);
  if (size != 0) std::memcpy(room.data(), values, size);
  room = room.subspan(size);
}

template <class Value>
void take(std::span<const std::byte>& bytes, std::vector<Value>& values) {
  const std::size_t size = values.size() * sizeof(Value);
  if (size != 0) std::memcpy(values.data(), bytes.data(), size);
  bytes = bytes.subspan(size);
}

}  // namespace

void UnitResult::resize(std::size_t tokens, bool with_baseline) {
  nll.resize(tokens);
  entropy.resize(tokens);
  top_probability.resize(tokens);
  rank.resize(tokens);
  has_baseline = with_baseline;
  const std::size_t beside = with_baseline ? tokens : 0;
  kl.resize(beside);
  baseline_nll.resize(beside);
  same_top.resize(beside);
}

std::size_t record_bytes(std::uint64_t tokens, bool has_baseline) {
  return kRecordHeadBytes + tokens * token_bytes(has_baseline) + kDigestBytes;
}

RecordHead read_head(std::span<const std::byte> bytes) {
  RecordHead head;
  std::memcpy(&head.unit, bytes.data(), sizeof head.unit);
  std::memcpy(&head.tokens, bytes.data() + sizeof head.unit, sizeof head.tokens);
  head.has_baseline = (head.tokens & kHasBaseline) != 0;
  head.tokens &= ~kHasBaseline;
  return head;
}

std::vector<std::byte> to_record(const UnitResult& result) {
  std::vector<std::byte> bytes(record_bytes(result.tokens(), result.has_baseline));
  std::span<std::byte> room(bytes);
  const std::uint64_t head[] = {result.unit, result.tokens() | (result.has_baseline ? kHasBaseline : 0)};
  put(room, head, std::size(head));
  put(room, result.nll.data(), result.nll.size());
  put(room, result.entropy.data(), result.entropy.size());
  put(room, result.top_probability.data(), result.top_probability.size());
  put(room, result.rank.data(), result.rank.size());
  put(room, result.kl.data(), result.kl.size());
  put(room, result.baseline_nll.data(), result.baseline_nll.size());
  put(room, result.same_top.data(), result.same_top.size());
  const std::string digest = digest_of(std::span(bytes).first(bytes.size() - kDigestBytes));
  put(room, digest.data(), digest.size());
  return bytes;
}

bool read_record(std::span<const std::byte> bytes, UnitResult& result) {
  if (bytes.size() < kLeastRecordBytes) return false;
  const RecordHead head = read_head(bytes);
  const std::size_t columns = bytes.size() - kLeastRecordBytes;
  const std::size_t of_token = token_bytes(head.has_baseline);
  if (columns % of_token != 0 || columns / of_token != head.tokens) return false;
  const std::string digest = digest_of(bytes.first(bytes.size() - kDigestBytes));
  if (std::memcmp(bytes.data() + bytes.size() - kDigestBytes, digest.data(), kDigestBytes) != 0) return false;
  bytes = bytes.subspan(kRecordHeadBytes);
  result.unit = head.unit;
  result.resize(head.tokens, head.has_baseline);
  take(bytes, result.nll);
  take(bytes, result.entropy);
  take(bytes, result.top_probability);
  take(bytes, result.rank);
  take(bytes, result.kl);
  take(bytes, result.baseline_nll);
  take(bytes, result.same_top);
  return true;
}

}  // namespace chainrule::pipeline::evaluate::journal
