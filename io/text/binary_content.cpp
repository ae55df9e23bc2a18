#include "io/text/binary_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::io::text {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSampleBytes = 8192;

struct Signature {
  std::string_view bytes;
  std::string_view what;
  std::size_t offset = 0;
};

constexpr std::array kSignatures = {
    Signature{"\x1F\x8B"sv, "gzip"},
    Signature{"\xFD"
              "7zXZ\0"sv,
              "xz"},
    Signature{"]\0\0"sv, "lzma"},
    Signature{"\x28\xB5\x2F\xFD"sv, "zstd"},
    Signature{"\x04\x22\x4D\x18"sv, "lz4"},
    Signature{"LZIP\1"sv, "lzip"},
    Signature{"\x1F\x9D"sv, "compress"},
    Signature{"PK\3\4"sv, "zip"},
    Signature{"PK\5\6"sv, "zip"},
    Signature{"7z\xBC\xAF\x27\x1C"sv, "7z"},
    Signature{"Rar!\x1A"sv, "rar"},
    Signature{"ustar\0"sv, "tar", 257},
    Signature{"ustar "sv, "tar", 257},
    Signature{"%PDF-"sv, "PDF"},
    Signature{"PAR1\x15"sv, "Parquet"},
    Signature{"ARROW1\0"sv, "Arrow"},
    Signature{"Obj\1"sv, "Avro"},
    Signature{"SQLite format 3\0"sv, "SQLite"},
    Signature{"\x89HDF\r\n\x1A\n"sv, "HDF5"},
    Signature{"\x93NUMPY"sv, "NumPy"},
    Signature{"MMIDIDX\0"sv, "a Megatron index"},
    Signature{"\x7F"
              "ELF"sv,
              "a program"},
    Signature{"\x89PNG\r\n\x1A\n"sv, "an image"},
    Signature{"GIF87a"sv, "an image"},
    Signature{"GIF89a"sv, "an image"},
    Signature{"\xFF\xD8\xFF"sv, "an image"},
    Signature{"\xFF\xFE"sv, "UTF-16 text"},
    Signature{"\xFE\xFF"sv, "UTF-16 text"},
};

/// Endings that say that what is inside must be unpacked first.
constexpr std::array kEndings = {".gz"sv,  ".tgz"sv,  ".bz2"sv,     ".tbz"sv,  ".tbz2"sv,        ".xz"sv,   ".txz"sv,
                                 ".zst"sv, ".tzst"sv, ".lz4"sv,     ".lzma"sv, ".zip"sv,         ".7z"sv,   ".rar"sv,
                                 ".tar"sv, ".h5"sv,   ".parquet"sv, ".gguf"sv, ".safetensors"sv, ".arrow"sv};

/// Up to kSampleBytes of the stream from offset on.
std::string sample(std::ifstream& stream, std::streamoff offset, const std::filesystem::path& path) {
  std::string bytes(kSampleBytes, '\0');
  stream.clear();
  stream.seekg(offset);
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (stream.bad()) {
    throw Error(ErrorKind::input_output,
                fmt::format("reading {} failed: {}", path_in_quotes(path), std::strerror(errno)));
  }
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

/// Characters that text has no use for; ESC colours a log and counts as text.
bool is_control(char each) {
  const auto byte = static_cast<unsigned char>(each);
  return byte < 7 || (byte >= 14 && byte < 27) || (byte >= 28 && byte < 32) || byte == 127;
}

bool looks_binary(std::string_view bytes) {
  const auto controls = static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), is_control));
  return controls > 1 && controls * 50 > bytes.size();
}

/// BZh, the size of blocks from 1 to 9, and the start of the first block.
bool is_bzip2(std::string_view bytes) { return bytes.starts_with("BZh") && bytes.substr(4).starts_with("1AY&SY"); }

/// GGUF and a u32 version; a text may begin with the word.
bool is_gguf(std::string_view bytes) { return bytes.starts_with("GGUF") && bytes.substr(5).starts_with("\0\0\0"sv); }

/// u64 length of a header of JSON, which begins with a brace.
bool is_safetensors(std::string_view bytes) {
  return bytes.size() > 9 && bytes.substr(4, 4) == "\0\0\0\0"sv && bytes[8] == '{';
}

}  // namespace

bool has_ending(const std::string& name, std::string_view ending) {
  return name.size() > ending.size() &&
         std::equal(ending.rbegin(), ending.rend(), name.rbegin(), [](char lower, char each) {
           return lower == static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
         });
}

std::ifstream open_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw Error(ErrorKind::missing_input,
                fmt::format("cannot open {}: {}", path_in_quotes(path), std::strerror(errno)));
  }
  return stream;
}

std::string binary_content(const std::filesystem::path& path) {
  std::ifstream stream = open_file(path);
  const std::string first = sample(stream, 0, path);
  for (const Signature& each : kSignatures) {
    if (first.size() > each.offset && std::string_view(first).substr(each.offset).starts_with(each.bytes)) {
      return std::string(each.what);
    }
  }
  if (is_bzip2(first)) return "bzip2";
  if (is_gguf(first)) return "GGUF";
  if (is_safetensors(first)) return "safetensors";
  for (const std::string_view ending : kEndings) {
    if (has_ending(path.filename().native(), ending)) return fmt::format("named {}", ending);
  }
  if (looks_binary(first)) return "binary";
  if (first.size() < kSampleBytes) return "";
  stream.clear();
  stream.seekg(0, std::ios::end);
  const std::streamoff bytes = stream.tellg();
  const auto sampled = static_cast<std::streamoff>(kSampleBytes);
  if (bytes <= sampled) return "";
  return looks_binary(sample(stream, std::max(sampled, bytes - sampled), path)) ? "binary" : "";
}

}  // namespace chainrule::io::text
