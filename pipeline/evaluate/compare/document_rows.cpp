#include "pipeline/evaluate/compare/document_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "io/error.h"
#include "io/files/regular_file.h"
#include "io/quote.h"

namespace chainrule::pipeline::evaluate::compare {

DocumentRows::DocumentRows(const std::filesystem::path& path) : path_(path) {
  const io::files::RegularFile checked(path);
  file_.open(path, std::ios::binary);
  if (!file_) {
    throw io::Error(io::ErrorKind::missing_input, fmt::format("cannot open {}", io::path_in_quotes(path)));
  }
  if (!read_fields()) refuse("is empty");
  for (const char* name : {"index", "domain", "source", "line", "text_hash", "bytes", "words", "tokens_scored",
                           "nonfinite_tokens", "nll_nats", "end_of_text_tokens", "end_of_text_nll_nats"}) {
    const auto found = std::find(fields_.begin(), fields_.end(), name);
    if (found == fields_.end()) refuse(fmt::format("has no column '{}'", name));
    columns_.push_back(static_cast<std::size_t>(found - fields_.begin()));
  }
}

/// RFC 4180: a quoted field may hold commas, doubled quotes and line ends.
bool DocumentRows::read_fields() {
  constexpr std::size_t kLongestLine = 1 << 20;
  fields_.clear();
  ++line_;
  std::string field;
  bool quoted = false;
  std::size_t length = 0;
  for (int c = file_.get(); c != std::char_traits<char>::eof(); c = file_.get()) {
    if (++length > kLongestLine) refuse("goes on for more than 1 MiB");
    if (quoted) {
      if (c != '"') {
        field += static_cast<char>(c);
      } else if (file_.peek() == '"') {
        field += static_cast<char>(file_.get());
      } else {
        quoted = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted = true;
    } else if (c == ',') {
      fields_.push_back(std::move(field));
      field.clear();
    } else if (c == '\r' && file_.peek() == '\n') {
      file_.get();
      fields_.push_back(std::move(field));
      return true;
    } else {
      field += static_cast<char>(c);
    }
  }
  if (file_.bad())
    throw io::Error(io::ErrorKind::input_output, fmt::format("cannot read {}", io::path_in_quotes(path_)));
  if (length != 0) refuse("is cut off");
  return false;
}

const std::string& DocumentRows::field(std::size_t column) const { return fields_[columns_[column]]; }

std::uint64_t DocumentRows::number(std::size_t column) const {
  const std::string& text = field(column);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    refuse(fmt::format("has {} where a count belongs", io::in_quotes(text)));
  }
  return value;
}

bool DocumentRows::next(DocumentRow& row) {
  const std::size_t expected = fields_.size();
  if (!read_fields()) return false;
  if (fields_.size() != expected) refuse(fmt::format("has {} fields, not {}", fields_.size(), expected));
  const auto nats_of = [&](std::size_t column) {
    const std::string& text = field(column);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
      refuse(fmt::format("has {} where nats belong", io::in_quotes(text)));
    }
    return value;
  };
  row.index = number(index);
  if (row.index != rows_) refuse(fmt::format("is of document {}, document {} comes next", row.index, rows_));
  ++rows_;
  row.domain = field(domain);
  row.source = field(source);
  row.line = field(line);
  row.text_hash = field(text_hash);
  row.bytes = number(bytes);
  row.words = number(words);
  row.tokens_scored = number(tokens);
  const std::uint64_t ends = number(end_tokens);
  if (ends > row.tokens_scored) refuse("has more end-of-text tokens than tokens");
  row.text_tokens = row.tokens_scored - ends;
  row.text_nats = number(nonfinite) == 0 ? std::optional(nats_of(nats) - nats_of(end_nats)) : std::nullopt;
  return true;
}

void DocumentRows::refuse(const std::string& what) const {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: line {} {}", io::path_in_quotes(path_), line_, what));
}

}  // namespace chainrule::pipeline::evaluate::compare
