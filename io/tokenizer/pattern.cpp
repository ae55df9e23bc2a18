#include "io/tokenizer/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <array>

#include "io/error.h"
#include "io/text/characters.h"

namespace chainrule::io::tokenizer {
namespace {

/// White space, or all other characters, as members of a class in brackets.
std::string members_of_class(bool spaces) {
  std::string members;
  std::uint32_t next = 0;  // the first code point that is in no range yet
  const auto add = [&](std::uint32_t first, std::uint32_t last) {
    members += fmt::format("\\x{{{:02X}}}-\\x{{{:02X}}}", first, last);
  };
  for (const text::CodePoints& range : text::white_space()) {
    if (spaces) add(range.first, range.last);
    if (!spaces && next < range.first) add(next, range.first - 1);
    next = range.last + 1;
  }
  if (!spaces) add(next, text::kLastCodePoint);
  return members;
}

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

std::string with_spaces_written_out(std::string_view expression) {
  std::string written;
  bool in_class = false;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char each = expression[i];
    if (each == '\\' && i + 1 < expression.size()) {
      const char escaped = expression[++i];
      if (escaped == 's' || escaped == 'S') {
        const std::string members = members_of_class(escaped == 's');
        written += in_class ? members : "[" + members + "]";
      } else {
        written += each;
        written += escaped;
      }
      continue;
    }
    if (in_class && (each == '[' || expression.substr(i, 2) == "&&")) {
      throw Error(ErrorKind::bad_data,
                  fmt::format("the pattern '{}' has a class within a class at offset {}, which is not supported",
                              expression, i));
    }
    written += each;
    if (each == ']') in_class = false;
    if (each != '[') continue;
    in_class = true;  // and a bracket right behind its start is a member
    if (expression.substr(i + 1, 1) == "^") written += expression[++i];
    if (expression.substr(i + 1, 1) == "]") written += expression[++i];
  }
  return written;
}

std::string pattern_engine_version() {
  std::array<char, 64> version{};
  std::array<char, 64> unicode{};
  pcre2_config(PCRE2_CONFIG_VERSION, version.data());
  pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, unicode.data());
  return fmt::format("PCRE2 {}, Unicode {}", version.data(), unicode.data());
}

struct Pattern::State {
  std::string expression;
  std::unique_ptr<pcre2_code, void (*)(pcre2_code*)> code{nullptr, &pcre2_code_free};
};

Pattern::Pattern(const std::string& expression) : state_(std::make_unique<State>()) {
  state_->expression = expression;
  const std::string written = with_spaces_written_out(expression);
  int error = 0;
  PCRE2_SIZE offset = 0;
  state_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(written.data()), written.size(), PCRE2_UTF | PCRE2_UCP,
                                   &error, &offset, nullptr));
  if (!state_->code) {
    throw Error(ErrorKind::bad_data, fmt::format("the pattern '{}' cannot be compiled: {} (at offset {} of '{}')",
                                                 expression, message_of(error), offset, written));
  }
  // Where the machine allows no generated code the interpreter matches the same, slower.
  pcre2_jit_compile(state_->code.get(), PCRE2_JIT_COMPLETE);
}

Pattern::~Pattern() = default;

struct Pattern::Matcher::State {
  const Pattern::State& pattern;
  std::string masked;
  std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match;
};

Pattern::Matcher::Matcher(const Pattern& pattern, std::string_view text)
    : state_(new State{
          *pattern.state_,
          text::with_invalid_bytes_masked(text),
          {pcre2_match_data_create_from_pattern(pattern.state_->code.get(), nullptr), &pcre2_match_data_free}}) {
  if (!state_->match) throw std::bad_alloc();
}

Pattern::Matcher::~Matcher() = default;

std::size_t Pattern::Matcher::piece_end(std::size_t begin) {
  const int found =
      pcre2_match(state_->pattern.code.get(), reinterpret_cast<PCRE2_SPTR>(state_->masked.data()),
                  state_->masked.size(), begin, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, state_->match.get(), nullptr);
  if (found == PCRE2_ERROR_NOMATCH) return state_->masked.size();
  if (found < 0) {
    throw Error(ErrorKind::bad_data, fmt::format("matching the pattern '{}' at byte {} of a text failed: {}",
                                                 state_->pattern.expression, begin, message_of(found)));
  }
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(state_->match.get());
  return bounds[0] > begin ? bounds[0] : bounds[1];
}

}  // namespace chainrule::io::tokenizer
