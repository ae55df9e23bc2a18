#include "io/tokens/foreign/token_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::io::tokens::foreign {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18U;

[[noreturn]] void fail(ErrorKind kind, const char* operation, const std::filesystem::path& path) {
  throw Error(kind, fmt::format("cannot {} {}: {}", operation, path_in_quotes(path), std::strerror(errno)));
}

/// Fills bytes as far as the file goes; returns how many there were.
std::size_t read_at(int descriptor, std::uint64_t offset, std::span<std::byte> bytes,
                    const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ::ssize_t count =
        ::pread(descriptor, bytes.data() + done, bytes.size() - done, static_cast<::off_t>(offset + done));
    if (count == 0) break;
    if (count < 0 && errno != EINTR) fail(ErrorKind::input_output, "read", path);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return done;
}

/// Where the first value lies that is no id of the vocabulary; count where all are.
template <class Value>
std::size_t convert(const std::byte* from, std::size_t count, std::uint32_t vocabulary_size, std::uint32_t* to) {
  bool all_ids = true;  // a loop without a way out, which compilers vectorise
  const auto value_at = [from](std::size_t i) {
    Value value = 0;
    std::memcpy(&value, from + i * sizeof value, sizeof value);
    return value;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Value value = value_at(i);
    all_ids = all_ids && std::cmp_greater_equal(value, 0) && std::cmp_less(value, vocabulary_size);
    to[i] = static_cast<std::uint32_t>(value);
  }
  if (all_ids) return count;
  std::size_t at = 0;
  while (std::cmp_greater_equal(value_at(at), 0) && std::cmp_less(value_at(at), vocabulary_size)) ++at;
  return at;
}

std::size_t convert(TokenType type, const std::byte* from, std::size_t count, std::uint32_t vocabulary_size,
                    std::uint32_t* to) {
  const auto as = [&]<class Unsigned, class Signed>(Unsigned, Signed) {
    return type.is_signed ? convert<Signed>(from, count, vocabulary_size, to)
                          : convert<Unsigned>(from, count, vocabulary_size, to);
  };
  switch (type.bytes) {
    case 1: return as(std::uint8_t{}, std::int8_t{});
    case 2: return as(std::uint16_t{}, std::int16_t{});
    case 4: return as(std::uint32_t{}, std::int32_t{});
    default: return as(std::uint64_t{}, std::int64_t{});
  }
}

/// A value as it lies in the file, in decimal.
std::string spelled(TokenType type, const std::byte* from) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, from, type.bytes);
  const unsigned unused = 64U - 8U * type.bytes;
  return type.is_signed ? fmt::to_string(static_cast<std::int64_t>(bits << unused) >> unused) : fmt::to_string(bits);
}

}  // namespace

TokenFile::TokenFile(const std::filesystem::path& path, const TokenPlace& place)
    : path_(path), file_(path), type_(place.type), first_byte_(place.first_byte) {}

void TokenFile::read_bytes(std::uint64_t offset, std::span<std::byte> bytes) const {
  if (read_at(file_.descriptor(), offset, bytes, path_) != bytes.size()) {
    throw Error(ErrorKind::input_output,
                fmt::format("{} became shorter while it was being read", path_in_quotes(path_)));
  }
}

void TokenFile::read(std::uint64_t first, std::uint32_t vocabulary_size, std::span<std::uint32_t> tokens) const {
  thread_local std::vector<std::byte> block(kBlockBytes);
  while (!tokens.empty()) {
    const std::size_t count = std::min(tokens.size(), kBlockBytes / type_.bytes);
    const std::uint64_t offset = first_byte_ + first * type_.bytes;
    read_bytes(offset, std::span(block).first(count * type_.bytes));
    const std::size_t ids = convert(type_, block.data(), count, vocabulary_size, tokens.data());
    if (ids != count) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{}: token {} at byte {} (token {} of the file) is outside the vocabulary of {}",
                              path_in_quotes(path_), spelled(type_, block.data() + ids * type_.bytes),
                              offset + ids * type_.bytes, first + ids, vocabulary_size));
    }
    tokens = tokens.subspan(count);
    first += count;
  }
}

std::string beginning_of(const std::filesystem::path& path, std::size_t most_bytes) {
  const files::RegularFile file(path);
  std::string bytes(most_bytes, '\0');
  bytes.resize(read_at(file.descriptor(), 0, std::as_writable_bytes(std::span(bytes)), path));
  return bytes;
}

std::uint64_t bytes_of(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) {
    throw Error(ErrorKind::missing_input, fmt::format("cannot read {}: {}", path_in_quotes(path), error.message()));
  }
  return bytes;
}

}  // namespace chainrule::io::tokens::foreign
