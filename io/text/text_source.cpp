#include "io/text/text_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <unordered_set>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/json_text.h"

namespace chainrule::io::text {
namespace {

namespace fs = std::filesystem;

void refuse_compressed(const fs::path& path) {
  static constexpr std::array<std::string_view, 5> kEndings = {".gz", ".bz2", ".xz", ".zst", ".zip"};
  if (std::find(kEndings.begin(), kEndings.end(), path.extension().string()) != kEndings.end()) {
    throw Error(ErrorKind::bad_data, fmt::format("'{}' is compressed: unpack it first", path.string()));
  }
}

TextFile text_file(const fs::path& path, const std::string& identity) {
  refuse_compressed(path);
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(path, error);
  if (error) {
    throw Error(ErrorKind::missing_input, fmt::format("cannot read '{}': {}", path.string(), error.message()));
  }
  return {path, path.string(), identity, bytes,
          path.extension() == ".jsonl" ? TextFormat::json_lines : TextFormat::plain};
}

/// Paths of the regular files below folder, relative to it, in byte order.
std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> found;
  try {
    for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator(); ++entry) {
      if (!entry->is_symlink() && entry->is_regular_file()) {
        found.push_back(entry->path().lexically_relative(folder).string());
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorKind::missing_input,
                fmt::format("cannot read the folder '{}': {}",
                            error.path1().empty() ? folder.string() : error.path1().string(), error.code().message()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

[[noreturn]] void fail_changed(const TextFile& file) {
  throw Error(ErrorKind::input_output, fmt::format("'{}' changed while it was being read", file.name));
}

[[noreturn]] void fail_reading(const TextFile& file) {
  throw Error(ErrorKind::input_output, fmt::format("reading '{}' failed: {}", file.name, std::strerror(errno)));
}

std::ifstream open_lines(const TextFile& file) {
  std::ifstream stream(file.path, std::ios::binary);
  if (!stream) {
    throw Error(ErrorKind::missing_input, fmt::format("cannot open '{}': {}", file.name, std::strerror(errno)));
  }
  return stream;
}

/// Lines that begin before byte `end`: what a range's own count is added to in messages.
std::uint64_t lines_before(const TextFile& file, std::uint64_t end) {
  std::ifstream stream = open_lines(file);
  std::uint64_t lines = 0;
  std::uint64_t position = 0;
  for (std::string line; position < end && std::getline(stream, line); position += line.size() + 1) ++lines;
  return lines;
}

/// The text of one JSON line. Throws Error with what is wrong; the caller knows file and line.
std::string text_of(const std::string& line, const std::string& text_field) {
  nlohmann::json object;
  try {
    object = files::parse_json(line);
  } catch (const nlohmann::json::parse_error& error) {
    throw Error(ErrorKind::bad_data, fmt::format("invalid JSON at byte {} of the line", error.byte));
  }
  if (!object.is_object()) throw Error(ErrorKind::bad_data, "the line is not a JSON object");
  const auto member = object.find(text_field);
  if (member == object.end()) throw Error(ErrorKind::bad_data, fmt::format("no field '{}'", text_field));
  if (!member->is_string()) throw Error(ErrorKind::bad_data, fmt::format("field '{}' is not a string", text_field));
  return std::move(member->get_ref<std::string&>());
}

std::uint64_t visit_lines(const TextFile& file, ByteRange range, const std::string& text_field,
                          const DocumentVisitor& visit) {
  std::ifstream stream = open_lines(file);
  std::string line;
  std::uint64_t position = range.begin;
  if (range.begin != 0) {  // the line that holds the byte before began earlier, unless that byte ends it
    stream.seekg(static_cast<std::streamoff>(range.begin - 1));
    if (std::getline(stream, line)) position += line.size();
  }
  std::uint64_t lines = 0;
  while (position < range.end && std::getline(stream, line)) {
    position += line.size() + 1;
    ++lines;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::string text;
    try {
      text = text_of(line, text_field);
    } catch (const Error& error) {
      throw Error(error.kind(),
                  fmt::format("'{}' line {}: {}", file.name, lines_before(file, range.begin) + lines, error.what()));
    }
    visit(text, lines);
  }
  if (stream.bad()) fail_reading(file);
  if (position < range.end) fail_changed(file);
  return lines;
}

}  // namespace

std::vector<TextFile> find_text_files(const std::vector<std::string>& inputs) {
  std::vector<TextFile> found;
  std::unordered_set<std::string> known;
  const auto add = [&](const fs::path& path, const std::string& identity) {
    if (known.insert(identity).second) found.push_back(text_file(path, identity));
  };
  for (const std::string& input : inputs) {
    std::error_code error;
    const fs::path canonical = fs::canonical(input, error);
    const fs::file_status status = error ? fs::file_status() : fs::status(canonical, error);
    if (error) throw Error(ErrorKind::missing_input, fmt::format("cannot read '{}': {}", input, error.message()));
    if (fs::is_directory(status)) {
      for (const std::string& below : files_below(canonical)) {
        add(fs::path(input) / below, (canonical / below).string());
      }
    } else if (fs::is_regular_file(status)) {
      add(input, canonical.string());
    } else {
      throw Error(ErrorKind::missing_input, fmt::format("'{}' is neither a file nor a folder", input));
    }
  }
  return found;
}

std::uint64_t visit_documents(const TextFile& file, ByteRange range, const std::string& text_field,
                              const DocumentVisitor& visit) {
  if (file.format == TextFormat::json_lines) return visit_lines(file, range, text_field, visit);
  if (range.begin == 0) {
    const std::string text = files::read_file(file.path);
    if (text.size() != file.bytes) fail_changed(file);
    visit(text, 0);
  }
  return 0;
}

void visit_documents(const TextFile& file, const std::string& text_field, const DocumentVisitor& visit) {
  visit_documents(file, ByteRange{0, file.bytes}, text_field, visit);
}

}  // namespace chainrule::io::text
