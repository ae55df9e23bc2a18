#include "pipeline/evaluate/tally/partial_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "io/files/digest.h"

namespace chainrule::pipeline::evaluate::tally {
namespace {

constexpr std::string_view kMagic = "chainrule partial result";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kDigestBytes = sizeof(std::uint64_t) + 32;  // a text of 32 hexadecimal digits

std::string digest_of(std::span<const std::byte> bytes) {
  io::files::Digest digest;
  digest.update(bytes.data(), bytes.size());
  return digest.hexadecimal();
}

/// The bytes without their digest, which is checked.
std::span<const std::byte> undamaged(std::span<const std::byte> bytes, std::string_view from) {
  const WireReader whole(bytes, from);
  if (bytes.size() < kDigestBytes) whole.refuse("is no partial result of an evaluation: too short");
  const auto content = bytes.first(bytes.size() - kDigestBytes);
  if (WireReader(bytes.last(kDigestBytes), from).text() != digest_of(content)) {
    whole.refuse("its checksum is not that of its content: it is damaged, or no partial result of an evaluation");
  }
  return content;
}

}  // namespace

PartialResult::PartialResult(std::string subject, std::uint64_t documents, std::size_t domains)
    : subject_(std::move(subject)), documents_(documents), unigrams_(domains) {}

void PartialResult::begin_unit(std::uint64_t unit) {
  const auto at = std::lower_bound(units_.begin(), units_.end(), unit);
  if (at != units_.end() && *at == unit) throw std::logic_error(fmt::format("work unit {} is scored twice", unit));
  units_.insert(at, unit);
}

void PartialResult::add(const ScoredToken& token) {
  for (TokenSink* sink : sinks()) sink->add(token);
}

std::vector<std::byte> PartialResult::to_bytes() const {
  WireWriter out;
  out.text(kMagic);
  out.number(kVersion);
  out.text(subject_);
  out.number(units_.size());
  for (const std::uint64_t unit : units_) out.number(unit);
  for (const TokenSink* sink : sinks()) {
    WireWriter section;
    sink->write(section);
    out.text(sink->name());
    out.section(section);
  }
  const std::string digest = digest_of(out.bytes());
  out.text(digest);
  return out.bytes();
}

void PartialResult::merge(std::span<const std::byte> bytes, std::string_view from) {
  WireReader in(undamaged(bytes, from), from);
  if (in.text() != kMagic) in.refuse("is no partial result of an evaluation");
  if (const std::uint64_t version = in.number(); version != kVersion) {
    in.refuse(fmt::format("has format version {}; this program reads {}", version, kVersion));
  }
  if (const std::string subject = in.text(); subject != subject_) {
    in.refuse(fmt::format("is of another evaluation ({}) than the other parts ({})", subject, subject_));
  }
  std::vector<std::uint64_t> units(in.list(sizeof(std::uint64_t)));
  for (std::uint64_t& unit : units) unit = in.number();
  if (std::adjacent_find(units.begin(), units.end(), std::greater_equal<>()) != units.end()) {
    in.refuse("its work units do not ascend");
  }
  std::vector<std::uint64_t> twice;
  std::set_intersection(units_.begin(), units_.end(), units.begin(), units.end(), std::back_inserter(twice));
  if (!twice.empty()) in.refuse(fmt::format("work unit {} is in another part too", twice.front()));
  std::vector<std::uint64_t> all;
  std::set_union(units_.begin(), units_.end(), units.begin(), units.end(), std::back_inserter(all));
  units_ = std::move(all);
  for (TokenSink* sink : sinks()) {
    if (const std::string name = in.text(); name != sink->name()) {
      in.refuse(fmt::format("has '{}' where '{}' belongs", name, sink->name()));
    }
    WireReader section = in.section();
    sink->merge(section);
    section.finish();
  }
  in.finish();
}

void PartialResult::gather(const comm::Communicator& communicator) {
  const bool first = communicator.rank() == 0;
  const std::vector<std::byte> sent = first ? std::vector<std::byte>() : to_bytes();
  const std::vector<std::vector<std::byte>> parts = communicator.gather(sent);
  for (std::size_t rank = 1; rank < parts.size(); ++rank)
    merge(parts[rank], fmt::format("the results of rank {}", rank));
}

void PartialResult::require_units(std::uint64_t units) const {
  for (std::uint64_t unit = 0; unit < units; ++unit) {
    if (unit >= units_.size() || units_[unit] != unit) {
      throw std::logic_error(fmt::format("work unit {} has no result", unit));
    }
  }
  if (units_.size() != units) throw std::logic_error(fmt::format("{} results of {} work units", units_.size(), units));
}

}  // namespace chainrule::pipeline::evaluate::tally
