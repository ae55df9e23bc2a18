#include "io/text/text_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/text/binary_content.h"
#include "io/text/unpacking.h"

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
  if (end == 0) return 0;
  std::ifstream stream = open_file(file.path);
  std::uint64_t lines = 0;
  std::uint64_t position = 0;
  for (std::string line; position < end && std::getline(stream, line); position += line.size() + 1) ++lines;
  return lines;
}

/// A member of an object that is looked for.
struct Member {
  explicit Member(const std::string& member_name) : name(member_name) {}

  const std::string& name;
  std::string value{};
  bool is_there = false;
  bool is_string = false;
};

/// Takes members out of a JSON line, and nothing else.
class LineEvents : public files::JsonEvents {
 public:
  explicit LineEvents(std::vector<Member>& members) : members_(members) {}

  bool null() override { return see_value(nullptr); }
  bool boolean(bool) override { return see_value(nullptr); }
  bool number_integer(number_integer_t) override { return see_value(nullptr); }
  bool number_unsigned(number_unsigned_t) override { return see_value(nullptr); }
  bool number_float(number_float_t, const string_t&) override { return see_value(nullptr); }
  bool string(string_t& value) override { return see_value(&value); }
  bool start_object(std::size_t) override {
    if (depth() == 0) is_object_ = true;
    return see_value(nullptr) && enter();
  }
  bool start_array(std::size_t) override { return see_value(nullptr) && enter(); }
  bool key(string_t& name) override {
    if (depth() != 1) return true;
    const auto found =
        std::find_if(members_.begin(), members_.end(), [&](const Member& each) { return each.name == name; });
    at_ = found == members_.end() ? nullptr : &*found;
    return true;
  }

  bool is_object() const { return is_object_; }

 private:
  /// value: null for what is no string.
  bool see_value(std::string* value) {
    if (depth() != 1 || !is_object_ || at_ == nullptr) return true;
    at_->is_there = true;
    at_->is_string = value != nullptr;
    if (value != nullptr) at_->value.swap(*value);
    return true;
  }

  std::vector<Member>& members_;
  Member* at_ = nullptr;
  bool is_object_ = false;
};

/// The members of one JSON line, each a string. Throws Error with what is wrong; the caller knows file and line.
void read_members(const std::string& line, std::vector<Member>& members) {
  LineEvents events(members);
  if (!events.parse(line)) {
    const std::string at = events.fault_byte() == 0 ? "" : fmt::format(" at byte {} of the line", events.fault_byte());
    throw Error(ErrorKind::bad_data, fmt::format("invalid JSON{}: {}", at, events.what()));
  }
  if (!events.is_object()) throw Error(ErrorKind::bad_data, "the line is not a JSON object");
  for (const Member& member : members) {
    const std::string field = in_quotes(member.name);
    if (!member.is_there) throw Error(ErrorKind::bad_data, fmt::format("no field {}", field));
    if (!member.is_string) throw Error(ErrorKind::bad_data, fmt::format("field {} is not a string", field));
  }
}

/// The text first; what is counted behind it where that is another member.
std::vector<Member> members_of(const Fields& fields) {
  std::vector<Member> members{Member(fields.text)};
  if (!fields.counted.empty() && fields.counted != fields.text) members.emplace_back(fields.counted);
  return members;
}

std::uint64_t visit_lines(const TextFile& file, ByteRange range, const Fields& fields, const DocumentVisitor& visit) {
  const std::unique_ptr<std::istream> opened = open_unpacked(file.path);
  std::istream& stream = *opened;
  std::string line;
  std::uint64_t position = range.begin;
  if (range.begin != 0) {  // the line that holds the byte before began earlier, unless that byte ends it
    stream.seekg(static_cast<std::streamoff>(range.begin - 1));
    // Where it goes on beyond the range, no line begins here: the rest of a long one is not read for each of its
    // ranges.
    stream.ignore(static_cast<std::streamsize>(range.end - range.begin + 1), '\n');
    position += static_cast<std::uint64_t>(stream.gcount()) - 1;
  }
  std::uint64_t lines = 0;
  while (position < range.end && std::getline(stream, line)) {
    position += line.size() + 1;
    ++lines;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::vector<Member> members = members_of(fields);
    try {
      read_members(line, members);
      visit({members.front().value, members.back().value, lines});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::bad_data) throw;
      throw Error(error.kind(),
                  fmt::format("{} line {}: {}", name_of(file), lines_before(file, range.begin) + lines, error.what()));
    }
  }
  if (stream.bad()) fail_reading(file);
  if (position < range.end && !file.streamed) fail_changed(file);
  return lines;
}

}  // namespace

void refuse_by_name(const TextFile& file, const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::bad_data) throw;
    throw Error(error.kind(), fmt::format("{}: {}", name_of(file), error.what()));
  }
}

std::uint64_t visit_documents(const TextFile& file, ByteRange range, const Fields& fields,
                              const DocumentVisitor& visit) {
  if (file.streamed) {  // how long it is shows at its end
    if (range.begin != 0) return 0;
    range.end = std::numeric_limits<std::uint64_t>::max();
  }
  if (file.format == TextFormat::json_lines) return visit_lines(file, range, fields, visit);
  if (range.begin == 0) {
    const std::string text = files::read_file(file.path);
    if (text.size() != file.bytes) fail_changed(file);
    refuse_by_name(file, [&] { visit({text, text, 0}); });
  }
  return 0;
}

void visit_documents(const TextFile& file, const Fields& fields, const DocumentVisitor& visit) {
  visit_documents(file, ByteRange{0, file.bytes}, fields, visit);
}

void visit_bytes(const TextFile& file, const std::function<void(std::string_view)>& visit) {
  constexpr std::size_t kBlockBytes = std::size_t{4} << 20U;
  std::ifstream stream = open_file(file.path);
  std::string block(kBlockBytes, '\0');
  std::uint64_t bytes = 0;
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())), stream.gcount() > 0) {
    const auto count = static_cast<std::size_t>(stream.gcount());
    visit(std::string_view(block).substr(0, count));
    bytes += count;
  }
  if (stream.bad()) fail_reading(file);
  if (bytes != file.bytes) fail_changed(file);
}

}  // namespace chainrule::io::text
