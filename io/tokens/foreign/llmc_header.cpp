#include "io/tokens/foreign/llmc_header.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "io/error.h"

namespace chainrule::io::tokens::foreign {
namespace {

struct Kind {
  std::int32_t magic;
  std::int32_t version;
  TokenType type;
};

constexpr std::array kKinds = {Kind{20240520, 1, {2, false}}, Kind{20240801, 7, {4, false}}};

std::int32_t number_at(std::span<const std::byte> begin, std::size_t index) {
  std::int32_t value = 0;
  std::memcpy(&value, begin.data() + index * sizeof value, sizeof value);
  return value;
}

const Kind* kind_of(std::span<const std::byte> begin) {
  if (begin.size() < sizeof(std::int32_t)) return nullptr;
  for (const Kind& each : kKinds) {
    if (number_at(begin, 0) == each.magic) return &each;
  }
  return nullptr;
}

[[noreturn]] void refuse_header(const std::string& what) { throw Error(ErrorKind::bad_data, what); }

}  // namespace

bool begins_as_llmc(std::span<const std::byte> begin) { return kind_of(begin) != nullptr; }

LlmcHeader parse_llmc_header(std::span<const std::byte> begin, std::uint64_t file_bytes) {
  const Kind* const kind = kind_of(begin);
  if (kind == nullptr) refuse_header("it does not begin with the magic number of llm.c's token files");
  if (begin.size() < kLlmcHeaderBytes || file_bytes < kLlmcHeaderBytes) {
    refuse_header(fmt::format("it ends after {} bytes, inside the header of {}", file_bytes, kLlmcHeaderBytes));
  }
  if (const std::int32_t version = number_at(begin, 1); version != kind->version) {
    refuse_header(
        fmt::format("it has version {}; with magic number {} version {} is read", version, kind->magic, kind->version));
  }
  const std::int32_t tokens = number_at(begin, 2);
  if (tokens < 0) refuse_header(fmt::format("its header says {} tokens", tokens));
  const std::uint64_t expected = kLlmcHeaderBytes + static_cast<std::uint64_t>(tokens) * kind->type.bytes;
  if (file_bytes < expected) {
    refuse_header(fmt::format("it is cut off: {} bytes are there, {} tokens take {}", file_bytes, tokens, expected));
  }
  if (file_bytes > expected) {
    refuse_header(fmt::format("{} bytes follow at offset {}, behind the {} tokens that its header says",
                              file_bytes - expected, expected, tokens));
  }
  return {kind->type, static_cast<std::uint64_t>(tokens)};
}

std::string llmc_header_bytes(const LlmcHeader& header) {
  std::array<std::int32_t, kLlmcHeaderBytes / sizeof(std::int32_t)> values{};
  for (const Kind& each : kKinds) {
    if (each.type == header.type) values = {each.magic, each.version};
  }
  values[2] = static_cast<std::int32_t>(header.tokens);
  return {reinterpret_cast<const char*>(values.data()), kLlmcHeaderBytes};
}

}  // namespace chainrule::io::tokens::foreign
