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

/// Whether bytes go so far, and what lies there is this.
bool has_at(std::string_view bytes, std::size_t offset, std::string_view what) {
  return bytes.size() >= offset && bytes.substr(offset).starts_with(what);
}

/// BZh, the size of blocks from 1 to 9, and the start of the first block.
bool is_bzip2(std::string_view bytes) { return bytes.starts_with("BZh") && has_at(bytes, 4, "1AY&SY"); }

/// GGUF and a u32 version; a text may begin with the word.
bool is_gguf(std::string_view bytes) { return bytes.starts_with("GGUF") && has_at(bytes, 5, "\0\0\0"sv); }

/// u64 length of a header of JSON, which begins with a brace.
bool is_safetensors(std::string_view bytes) { return has_at(bytes, 4, "\0\0\0\0{"sv); }

bool is_tar(std::string_view bytes) {
  constexpr std::size_t kMagic = 257;
  return has_at(bytes, kMagic, "ustar\0"sv) || has_at(bytes, kMagic, "ustar "sv);
}

/// A form of content that is no text: known by how it begins, and by the ending of a name where that says that what is
/// inside must be unpacked first.
struct Form {
  std::string_view what;
  std::string_view begin;                  ///< empty: nothing is known by it
  bool (*is)(std::string_view) = nullptr;  ///< for what the first bytes alone do not tell
  std::array<std::string_view, 3> endings = {};
};

constexpr std::array kForms = {
    Form{kGzipName, "\x1F\x8B"sv, nullptr, {".gz", ".tgz"}},
    Form{"xz",
         "\xFD"
         "7zXZ\0"sv,
         nullptr,
         {".xz", ".txz"}},
    Form{"lzma", "]\0\0"sv, nullptr, {".lzma"}},
    Form{kZstdName, "\x28\xB5\x2F\xFD"sv, nullptr, {".zst", ".tzst"}},
    Form{"lz4", "\x04\x22\x4D\x18"sv, nullptr, {".lz4"}},
    Form{"lzip", "LZIP\1"sv},
    Form{"compress", "\x1F\x9D"sv},
    Form{"zip", "PK\3\4"sv, nullptr, {".zip"}},
    Form{"zip", "PK\5\6"sv},
    Form{"7z", "7z\xBC\xAF\x27\x1C"sv, nullptr, {".7z"}},
    Form{"rar", "Rar!\x1A"sv, nullptr, {".rar"}},
    Form{"bzip2", "", is_bzip2, {".bz2", ".tbz", ".tbz2"}},
    Form{"tar", "", is_tar, {".tar"}},
    Form{"PDF", "%PDF-"sv},
    Form{"Parquet", "PAR1\x15"sv, nullptr, {".parquet"}},
    Form{"Arrow", "ARROW1\0"sv, nullptr, {".arrow"}},
    Form{"Avro", "Obj\1"sv},
    Form{"SQLite", "SQLite format 3\0"sv},
    Form{"HDF5", "\x89HDF\r\n\x1A\n"sv, nullptr, {".h5"}},
    Form{"NumPy", "\x93NUMPY"sv},
    Form{"a Megatron index", "MMIDIDX\0"sv},
    Form{"GGUF", "", is_gguf, {".gguf"}},
    Form{"safetensors", "", is_safetensors, {".safetensors"}},
    Form{"a program",
         "\x7F"
         "ELF"sv},
    Form{"an image", "\x89PNG\r\n\x1A\n"sv},
    Form{"an image", "GIF87a"sv},
    Form{"an image", "GIF89a"sv},
    Form{"an image", "\xFF\xD8\xFF"sv},
    Form{"UTF-16 text", "\xFF\xFE"sv},
    Form{"UTF-16 text", "\xFE\xFF"sv},
};

bool begins_as(const Form& form, std::string_view bytes) {
  return form.is != nullptr ? form.is(bytes) : !form.begin.empty() && bytes.starts_with(form.begin);
}

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

std::string form_of(std::string_view begin) {
  for (const Form& form : kForms) {
    if (begins_as(form, begin)) return std::string(form.what);
  }
  return "";
}

std::string named_ending(const std::string& name) {
  for (const Form& form : kForms) {
    for (const std::string_view ending : form.endings) {
      if (!ending.empty() && has_ending(name, ending)) return fmt::format("named {}", ending);
    }
  }
  return "";
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

std::string binary_bytes(std::string_view begin) {
  std::string form = form_of(begin);
  return form.empty() && looks_binary(begin) ? "binary" : form;
}

std::string binary_content(const std::filesystem::path& path) {
  std::ifstream stream = open_file(path);
  const std::string first = sample(stream, 0, path);
  if (std::string form = form_of(first); !form.empty()) return form;
  if (std::string named = named_ending(path.filename().native()); !named.empty()) return named;
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
