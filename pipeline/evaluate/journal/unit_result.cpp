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

void UnitResult::resize(std::size_t tokens) {
  nll.resize(tokens);
  entropy.resize(tokens);
  top_probability.resize(tokens);
  rank.resize(tokens);
}

std::size_t record_bytes(std::uint64_t tokens) { return kRecordHeadBytes + tokens * kTokenBytes + kDigestBytes; }

RecordHead read_head(std::span<const std::byte> bytes) {
  RecordHead head;
  std::memcpy(&head.unit, bytes.data(), sizeof head.unit);
  std::memcpy(&head.tokens, bytes.data() + sizeof head.unit, sizeof head.tokens);
  return head;
}

std::vector<std::byte> to_record(const UnitResult& result) {
  std::vector<std::byte> bytes(record_bytes(result.tokens()));
  std::span<std::byte> room(bytes);
  const std::uint64_t head[] = {result.unit, result.tokens()};
  put(room, head, std::size(head));
  put(room, result.nll.data(), result.nll.size());
  put(room, result.entropy.data(), result.entropy.size());
  put(room, result.top_probability.data(), result.top_probability.size());
  put(room, result.rank.data(), result.rank.size());
  const std::string digest = digest_of(std::span(bytes).first(bytes.size() - kDigestBytes));
  put(room, digest.data(), digest.size());
  return bytes;
}

bool read_record(std::span<const std::byte> bytes, UnitResult& result) {
  if (bytes.size() < record_bytes(0)) return false;
  const RecordHead head = read_head(bytes);
  const std::size_t columns = bytes.size() - record_bytes(0);
  if (columns % kTokenBytes != 0 || columns / kTokenBytes != head.tokens) return false;
  const std::string digest = digest_of(bytes.first(bytes.size() - kDigestBytes));
  if (std::memcmp(bytes.data() + bytes.size() - kDigestBytes, digest.data(), kDigestBytes) != 0) return false;
  bytes = bytes.subspan(kRecordHeadBytes);
  result.unit = head.unit;
  result.resize(head.tokens);
  take(bytes, result.nll);
  take(bytes, result.entropy);
  take(bytes, result.top_probability);
  take(bytes, result.rank);
  return true;
}

}  // namespace chainrule::pipeline::evaluate::journal
