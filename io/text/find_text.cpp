#include "io/text/find_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <unordered_set>

#include "io/error.h"
#include "io/quote.h"
#include "io/text/binary_content.h"
#include "io/text/folder_walk.h"
#include "io/text/json_content.h"
#include "io/text/unpacking.h"

namespace chainrule::io::text {
namespace {

namespace fs = std::filesystem;

/// Whether the name says that each line is a document; what packing adds to it does not count.
bool is_named_json_lines(const fs::path& path) {
  std::string name = path.native();
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (has_ending(name, packed)) name.erase(name.size() - packed.size());
  }
  return has_ending(name, ".jsonl") || has_ending(name, ".ndjson") || has_ending(name, ".jsonlines");
}

/// Empty where it cannot be unpacked: then it only looks packed.
std::string unpacked_beginning(const fs::path& path) {
  std::string bytes(8192, '\0');
  try {
    const std::unique_ptr<std::istream> stream = open_unpacked(path);
    stream->read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(stream->gcount()));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::bad_data) throw;
    return "";
  }
  return bytes;
}

class Search {
 public:
  explicit Search(const FindOptions& options) : options_(options) {}

  FoundTexts run(const std::vector<std::string>& inputs) {
    for (const std::string& input : inputs) take(input);
    return std::move(found_);
  }

 private:
  void take(const std::string& input) {
    if (input == kStandardInput) return take_standard_input();
    std::error_code error;
    const fs::path canonical = fs::canonical(input, error);
    const fs::file_status status = error ? fs::file_status() : fs::status(canonical, error);
    if (error) {
      throw Error(ErrorKind::missing_input, fmt::format("cannot read {}: {}", path_in_quotes(input), error.message()));
    }
    if (fs::is_directory(status)) {
      take_folder(input, canonical);
    } else if (fs::is_regular_file(status)) {
      if (!known_.insert(canonical.native()).second) return;
      const fs::path parent = fs::path(input).has_parent_path() ? fs::path(input).parent_path() : fs::path(".");
      const fs::path place = fs::canonical(parent, error) / fs::path(input).filename();
      take_file({input, input, canonical.native(), 0, TextFormat::plain, place.native()}, true);
    } else {
      throw Error(ErrorKind::missing_input, fmt::format("{} is neither a file nor a folder", path_in_quotes(input)));
    }
  }

  void take_folder(const std::string& input, const fs::path& canonical) {
    const auto first = static_cast<std::ptrdiff_t>(found_.left_out.size());
    FolderContent content = walk_folder(canonical, input);
    for (LeftOut& each : content.left_out) found_.left_out.push_back(std::move(each));
    for (const FolderFile& file : content.files) {
      if (!known_.insert(file.identity).second) continue;
      const fs::path path = fs::path(input) / file.below;
      take_file({path, path.native(), file.identity, 0, TextFormat::plain, (canonical / file.below).native()}, false);
    }
    std::sort(found_.left_out.begin() + first, found_.left_out.end(),
              [](const LeftOut& a, const LeftOut& b) { return a.name < b.name; });
  }

  void take_standard_input() {
    if (options_.format == FormatChoice::plain || options_.format == FormatChoice::nanogpt) {
      throw Error(ErrorKind::bad_data, "standard input ('-') is read as JSON lines; --format asks for something else");
    }
    const std::string name(kStandardInput);
    if (known_.insert(name).second) found_.files.push_back({name, name, name, 0, TextFormat::json_lines, name, true});
  }

  void take_file(TextFile file, bool is_named) {
    if (options_.token_part && take_tokens(file, is_named)) return;
    std::string binary = binary_content(file.path);
    if (is_packed_lines(file, binary)) {
      file.streamed = true;
      binary.clear();
    }
    if (binary.empty()) {
      add(std::move(file), is_named);
    } else if (is_named) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("{} is no text ({}): unpack or convert it first", path_in_quotes(file.path), binary));
    } else {
      found_.left_out.push_back({file.name, kWhyBinary, binary});
    }
  }

  /// True where the file is one of tokens, or of nothing else that is taken.
  bool take_tokens(const TextFile& file, bool is_named) {
    TokenPart part = options_.token_part(file.path);
    if (part == TokenPart::unlike && is_named) part = TokenPart::tokens;
    if (part == TokenPart::unlike) found_.left_out.push_back({file.name, kWhyNoTokens, ""});
    if (part == TokenPart::tokens) {
      found_.files.push_back(file);
      found_.files.back().bytes = size_of(file);
      found_.files.back().format = TextFormat::tokens;
    }
    return part != TokenPart::none;
  }

  /// Whether JSON lines are in a file that gzip or zstd packed: by the name, by --format, or by content.
  bool is_packed_lines(const TextFile& file, const std::string& binary) const {
    if (options_.format == FormatChoice::plain || (binary != kGzipName && binary != kZstdName)) return false;
    if (is_named_json_lines(file.path)) return true;
    const std::string begin = unpacked_beginning(file.path);
    if (begin.empty() || !binary_bytes(begin).empty()) return false;
    if (options_.format == FormatChoice::json_lines) return true;
    const ContentFormat content = format_by_content(file.path, options_.text_field);
    return content.format == TextFormat::json_lines || !content.doubt.empty();
  }

  static std::uint64_t size_of(const TextFile& file) {
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(file.path, error);
    if (error) {
      throw Error(ErrorKind::missing_input,
                  fmt::format("cannot read {}: {}", path_in_quotes(file.path), error.message()));
    }
    return bytes;
  }

  void add(TextFile file, bool is_named) {
    file.bytes = size_of(file);
    if (options_.format == FormatChoice::json_lines) file.format = TextFormat::json_lines;
    if (options_.format == FormatChoice::by_content && !tell_format(file, is_named)) return;
    found_.files.push_back(std::move(file));
  }

  /// Sets the format; false for a file of chainrule's own that was left out.
  bool tell_format(TextFile& file, bool is_named) {
    if (is_named_json_lines(file.path)) {
      file.format = TextFormat::json_lines;
      return true;
    }
    const ContentFormat content = format_by_content(file.path, options_.text_field);
    if (!content.doubt.empty()) {
      throw Error(ErrorKind::bad_data, fmt::format("{} {}: it cannot be told whether it is one document or a document "
                                                   "a line; name JSON lines .jsonl, or say which with --format",
                                                   path_in_quotes(file.path), content.doubt));
    }
    if (content.chainrule) {
      if (is_named) {
        throw Error(ErrorKind::bad_data,
                    fmt::format("{} is a file of chainrule's own, not text", path_in_quotes(file.path)));
      }
      found_.left_out.push_back({file.name, kWhyOwn, "a file"});
      return false;
    }
    file.format = content.format;
    return true;
  }

  const FindOptions& options_;
  FoundTexts found_;
  std::unordered_set<std::string> known_;  // identities
};

}  // namespace

FoundTexts find_text_files(const std::vector<std::string>& inputs, const FindOptions& options) {
  return Search(options).run(inputs);
}

}  // namespace chainrule::io::text
