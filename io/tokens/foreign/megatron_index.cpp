#include "io/tokens/foreign/megatron_index.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <limits>
#include <string_view>

#include "io/error.h"

namespace chainrule::io::tokens::foreign {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "MMIDIDX\0\0"sv;
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 34;

/// Types by their code; those of 0 bytes hold no token ids.
struct TypeName {
  std::string_view name;
  TokenType type;
};
constexpr std::array kTypes = {TypeName{"none", {0, false}}, TypeName{"u8", {1, false}}, TypeName{"i8", {1, true}},
                               TypeName{"i16", {2, true}},   TypeName{"i32", {4, true}}, TypeName{"i64", {8, true}},
                               TypeName{"f64", {0, true}},   TypeName{"f32", {0, true}}, TypeName{"u16", {2, false}}};

[[noreturn]] void refuse_index(const std::string& what) { throw Error(ErrorKind::bad_data, what); }

template <class Value>
Value value_at(std::span<const std::byte> bytes, std::uint64_t offset) {
  Value value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// The index with its three tables; every count has been held against the size of the file.
class Index {
 public:
  Index(std::span<const std::byte> bytes, std::uint64_t data_bytes) : bytes_(bytes), data_bytes_(data_bytes) {
    read_header();
    lengths_ = kHeaderBytes;
    pointers_ = lengths_ + sequences_ * sizeof(std::int32_t);
    documents_ = pointers_ + sequences_ * sizeof(std::int64_t);
  }

  MegatronIndex read() const {
    MegatronIndex index{type_, {}};
    index.documents.reserve(document_indices_);
    std::uint64_t document = 0;  // the next whose first token is not known yet
    std::uint64_t tokens = 0;
    for (std::uint64_t sequence = 0; sequence < sequences_; ++sequence) {
      for (; document < document_indices_ && first_sequence(document) == sequence; ++document) {
        index.documents.push_back(tokens);
      }
      tokens += length_of(sequence, tokens);
    }
    for (; document < document_indices_; ++document) index.documents.push_back(tokens);
    check_end(tokens);
    return index;
  }

 private:
  void read_header() {
    if (!begins_as_megatron(bytes_)) refuse_index("it does not begin as a Megatron index");
    if (bytes_.size() < kHeaderBytes)
      refuse_index(fmt::format("it ends after {} bytes, inside its header", bytes_.size()));
    if (const auto version = value_at<std::uint64_t>(bytes_, 9); version != kVersion) {
      refuse_index(fmt::format("it has version {}; version {} is read", version, kVersion));
    }
    const auto code = value_at<std::uint8_t>(bytes_, 17);
    if (code >= kTypes.size() || kTypes[code].type.bytes == 0) {
      refuse_index(
          fmt::format("type {} ({}) is none of token ids", code, code < kTypes.size() ? kTypes[code].name : "?"));
    }
    type_ = kTypes[code].type;
    sequences_ = value_at<std::uint64_t>(bytes_, 18);
    document_indices_ = value_at<std::uint64_t>(bytes_, 26);
    check_size();
    if (document_indices_ == 0) refuse_index("it has no document index: it must begin with a 0");
  }

  /// The tables fill the file.
  void check_size() const {
    constexpr std::uint64_t kSequenceBytes = sizeof(std::int32_t) + sizeof(std::int64_t);
    const std::uint64_t room = bytes_.size() - kHeaderBytes;
    if (sequences_ > room / kSequenceBytes || document_indices_ > room / sizeof(std::int64_t) ||
        sequences_ * kSequenceBytes + document_indices_ * sizeof(std::int64_t) > room) {
      refuse_index(fmt::format("it is cut off: {} sequences and {} document indices do not go into its {} bytes",
                               sequences_, document_indices_, bytes_.size()));
    }
    const std::uint64_t end = kHeaderBytes + sequences_ * kSequenceBytes + document_indices_ * sizeof(std::int64_t);
    if (end == bytes_.size()) return;
    const std::string_view what = bytes_.size() - end == sequences_ ? " (the modes of a multimodal set?)" : "";
    refuse_index(
        fmt::format("{} bytes follow at offset {}, behind its document indices{}", bytes_.size() - end, end, what));
  }

  /// Tokens of a sequence, before which there are `tokens`.
  std::uint64_t length_of(std::uint64_t sequence, std::uint64_t tokens) const {
    const auto length = value_at<std::int32_t>(bytes_, lengths_ + sequence * sizeof(std::int32_t));
    const auto pointer = value_at<std::int64_t>(bytes_, pointers_ + sequence * sizeof(std::int64_t));
    if (length < 0) refuse_index(fmt::format("sequence {} has length {}", sequence, length));
    if (pointer < 0 || static_cast<std::uint64_t>(pointer) != tokens * type_.bytes) {
      refuse_index(fmt::format("sequence {} lies at byte {}, the ones before it end at {}", sequence, pointer,
                               tokens * type_.bytes));
    }
    // Below data_bytes, so that no product overflows.
    if (static_cast<std::uint64_t>(length) > data_bytes_ / type_.bytes - tokens) {
      refuse_index(fmt::format("sequence {} of {} tokens at byte {} does not go into the {} bytes of the .bin",
                               sequence, length, pointer, data_bytes_));
    }
    return static_cast<std::uint64_t>(length);
  }

  /// The sequence with which a document begins.
  std::uint64_t first_sequence(std::uint64_t document) const {
    const auto index_of = [&](std::uint64_t each) {
      return value_at<std::int64_t>(bytes_, documents_ + each * sizeof(std::int64_t));
    };
    const std::int64_t index = index_of(document);
    const std::int64_t before = document == 0 ? 0 : index_of(document - 1);
    if (index < before || (document == 0 && index != 0)) {
      refuse_index(document == 0 ? fmt::format("its document indices begin with {}, not with 0", index)
                                 : fmt::format("document index {} is {} behind {}", document, index, before));
    }
    if (static_cast<std::uint64_t>(index) > sequences_) {
      refuse_index(fmt::format("document index {} is {}, there are {} sequences", document, index, sequences_));
    }
    return static_cast<std::uint64_t>(index);
  }

  void check_end(std::uint64_t tokens) const {
    for (std::uint64_t document = 0; document < document_indices_; ++document) first_sequence(document);
    if (const std::uint64_t last = first_sequence(document_indices_ - 1); last != sequences_) {
      refuse_index(fmt::format("its document indices end with {}, not with the {} sequences", last, sequences_));
    }
    if (tokens * type_.bytes != data_bytes_) {
      refuse_index(
          fmt::format("its sequences end at byte {} of the .bin, which has {}", tokens * type_.bytes, data_bytes_));
    }
  }

  std::span<const std::byte> bytes_;
  std::uint64_t data_bytes_;
  TokenType type_;
  std::uint64_t sequences_ = 0;
  std::uint64_t document_indices_ = 0;
  std::uint64_t lengths_ = 0;  ///< offsets of the tables
  std::uint64_t pointers_ = 0;
  std::uint64_t documents_ = 0;
};

template <class Value>
void append(std::string& bytes, Value value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

bool begins_as_megatron(std::span<const std::byte> begin) {
  return begin.size() >= kMagic.size() && std::memcmp(begin.data(), kMagic.data(), kMagic.size()) == 0;
}

MegatronIndex parse_megatron_index(std::span<const std::byte> index, std::uint64_t data_bytes) {
  return Index(index, data_bytes).read();
}

std::string megatron_index_bytes(const MegatronIndex& index) {
  const std::uint64_t count = index.documents.size() - 1;
  std::string bytes(kMagic);
  append(bytes, kVersion);
  append(bytes, static_cast<std::uint8_t>(index.type.is_signed ? 4 : 8));
  append(bytes, count);
  append(bytes, count + 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t length = index.documents[i + 1] - index.documents[i];
    if (length > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("document {} has {} tokens, more than a Megatron index can say", i, length));
    }
    append(bytes, static_cast<std::int32_t>(length));
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    append(bytes, static_cast<std::int64_t>(index.documents[i] * index.type.bytes));
  }
  for (std::uint64_t i = 0; i <= count; ++i) append(bytes, static_cast<std::int64_t>(i));
  return bytes;
}

}  // namespace chainrule::io::tokens::foreign
