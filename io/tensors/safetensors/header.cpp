#include "io/tensors/safetensors/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "io/error.h"
#include "io/quote.h"
#include "io/tensors/little_endian.h"
#include "io/tensors/safetensors/header_events.h"

namespace chainrule::io::tensors::safetensors {
namespace {

struct Type {
  std::string_view name;
  std::int64_t bits;
  std::optional<Encoding> encoding;
};

constexpr std::array<Type, 22> kTypes = {{{"F32", 32, Encoding::f32},
                                          {"F16", 16, Encoding::f16},
                                          {"BF16", 16, Encoding::bf16},
                                          {"BOOL", 8, {}},
                                          {"U8", 8, {}},
                                          {"I8", 8, {}},
                                          {"F8_E4M3", 8, {}},
                                          {"F8_E5M2", 8, {}},
                                          {"F8_E8M0", 8, {}},
                                          {"F8_E4M3FNUZ", 8, {}},
                                          {"F8_E5M2FNUZ", 8, {}},
                                          {"I16", 16, {}},
                                          {"U16", 16, {}},
                                          {"I32", 32, {}},
                                          {"U32", 32, {}},
                                          {"I64", 64, {}},
                                          {"U64", 64, {}},
                                          {"F64", 64, {}},
                                          {"C64", 64, {}},
                                          {"F4", 4, {}},
                                          {"F6_E2M3", 6, {}},
                                          {"F6_E3M2", 6, {}}}};

/// A tensor's place among the bytes behind the header.
struct Extent {
  std::int64_t begin;
  std::int64_t end;
  const std::string* name;
};

class FileParser {
 public:
  FileParser(std::span<const std::byte> file, std::string_view file_name) : file_(file), file_name_(file_name) {}

  TensorTable run() {
    const std::span<const std::byte> header = read_header();
    data_ = file_.subspan(sizeof(std::uint64_t) + header.size());
    HeaderEvents events;
    if (!events.parse({reinterpret_cast<const char*>(header.data()), header.size()})) {
      fail(fmt::format("its header is not one of safetensors: {}", events.problem()));
    }
    check_extents(events.entries());
    TensorTable tensors;
    for (const auto& [name, entry] : events.entries()) tensors.emplace_hint(tensors.end(), name, listed(name, entry));
    return tensors;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::bad_data, fmt::format("{}: {}", file_name_, what));
  }

  std::span<const std::byte> read_header() const {
    if (file_.size() < sizeof(std::uint64_t)) fail("too short for a safetensors file");
    const auto bytes = load<std::uint64_t>(file_);
    if (bytes > kMostHeaderBytes) {
      fail(fmt::format("a header of {} bytes; at most {} are read (is it a safetensors file?)", bytes,
                       kMostHeaderBytes));
    }
    if (bytes > file_.size() - sizeof(std::uint64_t)) fail(fmt::format("ends within its header of {} bytes", bytes));
    const auto header = file_.subspan(sizeof(std::uint64_t), bytes);
    if (header.empty() || header.front() != std::byte{'{'}) fail("its header does not begin with '{'");
    return header;
  }

  /// Side by side, from the first byte to the last.
  void check_extents(const std::map<std::string, HeaderEntry>& entries) const {
    std::vector<Extent> extents;
    extents.reserve(entries.size());
    for (const auto& [name, entry] : entries) {
      extents.push_back({entry.data_offsets->front(), entry.data_offsets->back(), &name});
    }
    std::sort(extents.begin(), extents.end(),
              [](const Extent& a, const Extent& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::int64_t end = 0;
    for (const Extent& each : extents) {
      if (each.end < each.begin) fail(fmt::format("tensor {} ends before it begins", in_quotes(*each.name)));
      if (each.begin != end) {
        fail(fmt::format("tensor {} begins at byte {} behind the header, where {}", in_quotes(*each.name), each.begin,
                         each.begin < end ? "another lies" : fmt::format("bytes from {} on are nobody's", end)));
      }
      end = each.end;
    }
    if (static_cast<std::uint64_t>(end) != data_.size()) {
      fail(fmt::format("the tensors end at byte {} behind the header, the file at byte {}", end, data_.size()));
    }
  }

  ListedTensor listed(const std::string& name, const HeaderEntry& entry) const {
    const std::int64_t begin = entry.data_offsets->front();
    const std::int64_t bytes = entry.data_offsets->back() - begin;
    const auto type =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& each) { return each.name == *entry.type; });
    if (type == kTypes.end()) {
      fail(fmt::format("tensor {} is of type {}, which is not known", in_quotes(name), in_quotes(*entry.type)));
    }
    ListedTensor tensor{*entry.type, type->encoding, *entry.shape,
                        data_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(bytes))};
    std::int64_t bits = 0;
    const auto elements = element_count(tensor.shape);
    if (!elements || __builtin_mul_overflow(*elements, type->bits, &bits) || bits % 8 != 0 || bits / 8 != bytes) {
      fail(fmt::format("tensor {} has {} bytes, which is not what its type and shape take", in_quotes(name), bytes));
    }
    return tensor;
  }

  std::span<const std::byte> file_;
  std::string_view file_name_;
  std::span<const std::byte> data_;
};

}  // namespace

TensorTable parse_file(std::span<const std::byte> file, std::string_view file_name) {
  return FileParser(file, file_name).run();
}

}  // namespace chainrule::io::tensors::safetensors
