#include "io/text/json_content.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "io/error.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/text/unpacking.h"

namespace chainrule::io::text {
namespace {

/// Notes whether an object at `level` has the text field as a string, and whether its format is one of chainrule's.
class FieldWatch : public files::JsonEvents {
 public:
  FieldWatch(const std::string& text_field, std::size_t level) : text_field_(text_field), level_(level) {}

  bool key(string_t& name) override {
    if (depth() == level_) {
      at_field_ = name == text_field_;
      at_format_ = name == "format";
    }
    return true;
  }
  bool string(string_t& value) override {
    if (depth() == level_ && in_object_) {
      has_field_ = has_field_ || at_field_;
      chainrule_ = chainrule_ || (at_format_ && value.starts_with("chainrule"));
    }
    return level_ == 1 || !has_field_;  // in an array nothing more is looked for
  }
  bool start_object(std::size_t) override {
    if (depth() + 1 == level_) in_object_ = true;
    return enter();
  }
  bool end_object() override {
    if (depth() == level_) in_object_ = false;
    return leave();
  }

  bool has_field() const { return has_field_; }
  bool is_chainrules() const { return chainrule_; }

 private:
  const std::string& text_field_;
  std::size_t level_;
  bool in_object_ = false;
  bool at_field_ = false;
  bool at_format_ = false;
  bool has_field_ = false;
  bool chainrule_ = false;
};

class Content {
 public:
  Content(const std::filesystem::path& path, const std::string& text_field)
      : path_(path), text_field_(text_field), file_(open_unpacked(path)), stream_(*file_) {}

  ContentFormat run() {
    skip_byte_order_mark();
    bool ignored = false;
    const int first = skip_spaces(ignored);
    ContentFormat found = first == '[' ? array() : first == '{' ? objects() : ContentFormat{};
    if (stream_.bad()) {
      throw Error(ErrorKind::input_output,
                  fmt::format("reading {} failed: {}", path_in_quotes(path_), std::strerror(errno)));
    }
    return found;
  }

 private:
  static ContentFormat plain() { return {}; }
  static ContentFormat doubtful(std::string doubt) { return {TextFormat::plain, std::move(doubt), false}; }
  std::string field() const { return in_quotes(text_field_); }

  void skip_byte_order_mark() {
    char mark[3] = {};
    stream_.read(mark, 3);
    if (stream_.gcount() == 3 && std::string_view(mark, 3) == "\xEF\xBB\xBF") return;
    stream_.clear();
    stream_.seekg(0);
  }

  /// The next character that is no space, not yet taken, or EOF; sets line_feed where one was passed.
  int skip_spaces(bool& line_feed) {
    int next = stream_.peek();
    for (; next == ' ' || next == '\t' || next == '\r' || next == '\n'; next = stream_.peek()) {
      line_feed = line_feed || next == '\n';
      stream_.get();
    }
    return next;
  }

  bool has_line_feed(std::streamoff begin, std::streamoff end) {
    stream_.seekg(begin);
    for (std::streamoff at = begin; at < end; ++at) {
      if (stream_.get() == '\n') {
        stream_.seekg(end);
        return true;
      }
    }
    return false;
  }

  ContentFormat array() {
    FieldWatch watch(text_field_, 2);
    watch.parse_next(stream_);
    return watch.has_field() ? doubtful(fmt::format("is a JSON array of objects with {}", field())) : plain();
  }

  ContentFormat objects() {
    const std::streamoff begin = stream_.tellg();
    FieldWatch first(text_field_, 1);
    if (!first.parse_next(stream_)) return broken(first);
    const std::streamoff end = stream_.tellg();
    bool separate = false;
    const int next = skip_spaces(separate);
    if (next == std::istream::traits_type::eof()) {
      if (first.is_chainrules()) return {TextFormat::plain, "", true};
      return first.has_field() ? doubtful(fmt::format("is one JSON object with {}", field())) : plain();
    }
    if (next != '{') return mixed(first);
    const std::streamoff second_begin = stream_.tellg();
    FieldWatch second(text_field_, 1);
    if (!second.parse_next(stream_)) return mixed(first);
    const std::streamoff second_end = stream_.tellg();
    if (separate && !has_line_feed(begin, end) && !has_line_feed(second_begin, second_end)) {
      if (first.has_field()) return {TextFormat::json_lines, "", false};
      return doubtful(fmt::format("holds lines of JSON objects, the first without {}", field()));
    }
    return first.has_field() || second.has_field()
               ? doubtful(fmt::format("holds JSON objects with {} that are not one a line", field()))
               : plain();
  }

  ContentFormat broken(const FieldWatch& watch) const {
    using Fault = files::JsonEvents::Fault;
    const bool is_json = watch.fault() == Fault::number || watch.fault() == Fault::depth;
    return watch.has_field() || is_json ? doubtful(fmt::format("begins as JSON that is {}", watch.what())) : plain();
  }

  ContentFormat mixed(const FieldWatch& first) const {
    return first.has_field() ? doubtful(fmt::format("begins with a JSON object with {}, what follows is none", field()))
                             : plain();
  }

  const std::filesystem::path& path_;
  const std::string& text_field_;
  std::unique_ptr<std::istream> file_;
  std::istream& stream_;
};

}  // namespace

ContentFormat format_by_content(const std::filesystem::path& path, const std::string& text_field) {
  return Content(path, text_field).run();
}

}  // namespace chainrule::io::text
