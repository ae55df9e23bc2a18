// The one form in which results travel, lie in files and merge.
#include "pipeline/evaluate/tally/partial_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

#include "io/error.h"
#include "io/files/digest.h"

namespace chainrule::pipeline::evaluate::tally {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kDocuments = 5;

PartialResult blank() { return {"model m on data d", kDocuments, 2}; }

/// Unit u scores a few tokens of documents u and u + 1, one of them an end-of-text, one without a finite result.
void score_unit(std::uint64_t unit, PartialResult& result) {
  result.begin_unit(unit);
  for (std::uint32_t i = 0; i < 4; ++i) {
    ScoredToken token;
    token.document = unit + i / 2;
    token.domain = static_cast<std::uint16_t>(token.document % 2);
    token.token = static_cast<std::uint32_t>(10 * unit + i % 3);
    token.ends_document = i == 1;
    token.nll.add(unit == 2 && i == 3 ? INFINITY : 0.1 + static_cast<double>(unit) * 1e6 + 0.01 * i);
    result.add(token);
  }
}

PartialResult part_of(const std::vector<std::uint64_t>& units) {
  PartialResult part = blank();
  for (const std::uint64_t unit : units) score_unit(unit, part);
  return part;
}

std::string refusal(PartialResult& into, std::span<const std::byte> bytes) {
  try {
    into.merge(bytes, "'part-2'");
  } catch (const io::Error& error) {
    EXPECT_EQ(error.kind(), io::ErrorKind::bad_data);
    return error.what();
  }
  return "";
}

/// Bytes whose checksum fits again after a test has altered them.
std::vector<std::byte> sealed(std::vector<std::byte> bytes) {
  io::files::Digest digest;
  digest.update(bytes.data(), bytes.size() - 40);
  const std::string text = digest.hexadecimal();
  std::transform(text.begin(), text.end(), bytes.end() - 32, [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

TEST(PartialResult, PartsMergeInAnyOrderToTheSameBytes) {
  const PartialResult whole = part_of({0, 1, 2, 3});
  std::vector<std::vector<std::byte>> parts;
  for (const auto& units : std::vector<std::vector<std::uint64_t>>{{0, 2}, {3}, {1}}) {
    parts.push_back(part_of(units).to_bytes());
  }
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    PartialResult merged = blank();
    for (const std::size_t part : order) merged.merge(parts[part], "part");
    EXPECT_EQ(merged.to_bytes(), whole.to_bytes());
    EXPECT_EQ(merged.documents().scores(), whole.documents().scores());
    EXPECT_EQ(merged.unigrams().entropy_nats(), whole.unigrams().entropy_nats());
    merged.require_units(4);
  } while (std::next_permutation(order.begin(), order.end()));
  const DocumentScore total = whole.documents().total();
  EXPECT_EQ(total.text.count() + total.end_of_text.count(), 15U);
  EXPECT_EQ(total.end_of_text.count(), 4U);
  EXPECT_EQ(total.text.nonfinite(), 1U);
}

TEST(PartialResult, ScoredInAnyOrderIsTheSameBytes) {
  EXPECT_EQ(part_of({3, 1, 0, 2}).to_bytes(), part_of({0, 1, 2, 3}).to_bytes());
  EXPECT_NE(part_of({0, 1, 2}).to_bytes(), part_of({0, 1, 3}).to_bytes());
}

TEST(PartialResult, AUnitCountsOnce) {
  PartialResult result = part_of({0, 1});
  EXPECT_THROW(result.begin_unit(1), std::logic_error);
  const auto before = result.to_bytes();
  EXPECT_THAT(refusal(result, part_of({1, 2}).to_bytes()), HasSubstr("'part-2': work unit 1 is in another part too"));
  EXPECT_EQ(result.to_bytes(), before) << "nothing was added";
}

TEST(PartialResult, MissingAndSurplusUnitsAreNamed) {
  part_of({0, 1, 2}).require_units(3);
  EXPECT_THROW(part_of({0, 2}).require_units(3), std::logic_error);
  EXPECT_THROW(part_of({0, 1, 2}).require_units(2), std::logic_error);
  EXPECT_THROW(part_of({1, 2}).require_units(2), std::logic_error);
}

TEST(PartialResult, ResultsOfAnotherEvaluationAreRefused) {
  PartialResult other("model n on data d", kDocuments, 2);
  other.begin_unit(7);
  PartialResult result = part_of({0});
  const auto before = result.to_bytes();
  EXPECT_THAT(refusal(result, other.to_bytes()), HasSubstr("'part-2': is of another evaluation (model n on data d)"));
  EXPECT_EQ(result.to_bytes(), before);
}

TEST(PartialResult, AnyBitThatWasFlippedIsNoticed) {
  const auto good = part_of({1, 2}).to_bytes();
  PartialResult result = part_of({0});
  const auto before = result.to_bytes();
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bytes = good;
    bytes[at] ^= std::byte{1} << (at % 8);
    EXPECT_NE(refusal(result, bytes), "") << "at byte " << at;
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_NE(refusal(result, std::span(good).first(length)), "") << "of " << length;
  }
  EXPECT_EQ(result.to_bytes(), before);
}

/// Bytes that somebody made: whatever is in them, the checksum fits. Nothing is read past the end or allocated beyond
/// what there is.
TEST(PartialResult, BytesWithAFittingChecksumAreReadWithCare) {
  const auto good = part_of({1, 2}).to_bytes();
  std::mt19937 random(3);
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    auto bytes = good;
    const std::size_t at = random() % (bytes.size() - 40);
    bytes[at] = static_cast<std::byte>(random() % 2 == 0 ? 0xff : random() % 256);
    PartialResult result = blank();
    refused += refusal(result, sealed(bytes)).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 300);
  const auto refuses = [](std::vector<std::byte> bytes, const std::string& what) {
    PartialResult result = blank();
    EXPECT_THAT(refusal(result, sealed(std::move(bytes))), HasSubstr(what));
  };
  const auto with = [&](std::size_t at, unsigned value) {
    auto bytes = good;
    bytes.at(at) = static_cast<std::byte>(value);
    return bytes;
  };
  const std::size_t version = 8 + std::string("chainrule partial result").size();
  const std::size_t units = version + 8 + 8 + std::string("model m on data d").size();
  const std::size_t documents = units + 8 + 2 * 8 + 8 + std::string("documents").size() + 8;
  refuses(with(8, 'C'), "is no partial result of an evaluation");
  refuses(with(version, 2), "has format version 2; this program reads 1");
  refuses(with(units + 7, 0x10), "ends before what it announces");
  refuses(with(units + 8, 2), "its work units do not ascend");
  refuses(with(documents + 7, 0x80), "ends before what it announces");
  refuses(with(documents + 8, 3), "document 2 follows 4 of 5");
  refuses(with(documents + 8, kDocuments), "document 5 follows 0 of 5");
  auto longer = good;
  longer.insert(longer.end() - 40, std::byte{0});
  refuses(longer, "goes on for 1 bytes behind its end");
}

TEST(PartialResult, APartOfOtherDomainsIsRefused) {
  PartialResult three("model m on data d", kDocuments, 3);
  PartialResult two = blank();
  EXPECT_THAT(refusal(two, three.to_bytes()), HasSubstr("counts tokens of 3 domains, not of 2"));
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::tally
