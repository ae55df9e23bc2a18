#include "io/text/text_source.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/text/binary_content.h"

namespace chainrule::io::text {
namespace {

std::string name_of(const TextFile& file) { return in_quotes(file.name, std::string::npos); }

[[noreturn]] void fail_changed(const TextFile& file) {
  throw Error(ErrorKind::input_output, fmt::format("{} changed while it was being read", name_of(file)));
}

[[noreturn]] void fail_reading(const TextFile& file) {
  throw Error(ErrorKind::input_output, fmt::format("reading {} failed: {}", name_of(file), std::strerror(errno)));
}

/// Lines that begin before byte `end`: what a range's own count is added to in messages.
std::uint64_t lines_before(const TextFile& file, std::uint64_t end) {
  std::ifstream stream = open_file(file.path);
  std::uint64_t lines = 0;
  std::uint64_t position = 0;
  for (std::string line; position < end && std::getline(stream, line); position += line.size() + 1) ++lines;
  return lines;
}

/// Takes the text out of a JSON line, and nothing else.
class LineEvents : public files::JsonEvents {
 public:
  LineEvents(const std::string& text_field, std::string& text) : text_field_(text_field), text_(text) {}

  bool null() override { return see_value(false); }
  bool boolean(bool) override { return see_value(false); }
  bool number_integer(number_integer_t) override { return see_value(false); }
  bool number_unsigned(number_unsigned_t) override { return see_value(false); }
  bool number_float(number_float_t, const string_t&) override { return see_value(false); }
  bool string(string_t& value) override {
    if (is_text()) text_.swap(value);
    return see_value(true);
  }
  bool start_object(std::size_t) override {
    if (depth() == 0) is_object_ = true;
    return see_value(false) && enter();
  }
  bool start_array(std::size_t) override { return see_value(false) && enter(); }
  bool key(string_t& name) override {
    if (depth() == 1) at_text_ = name == text_field_;
    return true;
  }

  bool is_object() const { return is_object_; }
  bool has_member() const { return has_member_; }
  bool is_string() const { return is_string_; }

 private:
  bool is_text() const { return depth() == 1 && is_object_ && at_text_; }
  bool see_value(bool is_string) {
    if (is_text()) {
      has_member_ = true;
      is_string_ = is_string;
    }
    return true;
  }

  const std::string& text_field_;
  std::string& text_;
  bool is_object_ = false;
  bool at_text_ = false;
  bool has_member_ = false;
  bool is_string_ = false;
};

/// The text of one JSON line. Throws Error with what is wrong; the caller knows file and line.
std::string text_of(const std::string& line, const std::string& text_field) {
  std::string text;
  LineEvents events(text_field, text);
  if (!nlohmann::json::sax_parse(line, &events)) {
    const std::string at = events.fault_byte() == 0 ? "" : fmt::format(" at byte {} of the line", events.fault_byte());
    throw Error(ErrorKind::bad_data, fmt::format("invalid JSON{}: {}", at, events.what()));
  }
  if (!events.is_object()) throw Error(ErrorKind::bad_data, "the line is not a JSON object");
  const std::string field = in_quotes(text_field);
  if (!events.has_member()) throw Error(ErrorKind::bad_data, fmt::format("no field {}", field));
  if (!events.is_string()) throw Error(ErrorKind::bad_data, fmt::format("field {} is not a string", field));
  return text;
}

std::uint64_t visit_lines(const TextFile& file, ByteRange range, const std::string& text_field,
                          const DocumentVisitor& visit) {
  std::ifstream stream = open_file(file.path);
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
                  fmt::format("{} line {}: {}", name_of(file), lines_before(file, range.begin) + lines, error.what()));
    }
    visit(text, lines);
  }
  if (stream.bad()) fail_reading(file);
  if (position < range.end) fail_changed(file);
  return lines;
}

}  // namespace

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
