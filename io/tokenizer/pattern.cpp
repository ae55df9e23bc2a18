#include "io/tokenizer/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "io/error.h"
#include "io/quote.h"
#include "io/text/characters.h"
#include "io/tokenizer/matching_gave_up.h"

namespace chainrule::io::tokenizer {
namespace {

constexpr std::size_t kFirstStackBytes = 32U << 10U;
constexpr std::size_t kMostStackBytes = 16U << 20U;

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

/// Writes an expression of Oniguruma's as PCRE2 understands it.
class Translation {
 public:
  explicit Translation(std::string_view expression) : expression_(expression) {}

  std::string run() {
    while (at_ < expression_.size()) {
      const char each = expression_[at_];
      if (each == '\\' && at_ + 1 < expression_.size()) {
        take_escape();
      } else if (in_class_) {
        take_in_class();
      } else if (each == '[') {
        open_class();
      } else {
        check_outside();
        take(1);
      }
    }
    return std::move(written_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw Error(ErrorKind::bad_data,
                fmt::format("the pattern {} has {} at offset {}, which is not supported: engines read it differently",
                            in_quotes(expression_), what, at_));
  }

  bool next_is(std::string_view text) const { return expression_.substr(at_).starts_with(text); }

  void take(std::size_t bytes) {
    written_ += expression_.substr(at_, bytes);
    at_ += bytes;
  }

  void take_escape() {
    const char escaped = expression_[at_ + 1];
    if (escaped == 's' || escaped == 'S') {
      const std::string members = members_of_class(escaped == 's');
      written_ += in_class_ ? members : fmt::format("[{}]", members);
      at_ += 2;
      return;
    }
    const bool has_meaning = std::isalnum(static_cast<unsigned char>(escaped)) != 0;
    if (has_meaning && std::string_view("pPdDrntfx").find(escaped) == std::string_view::npos) {
      refuse(fmt::format("the escape {}", in_quotes(expression_.substr(at_, 2))));
    }
    if (escaped == 'p' || escaped == 'P') return take_property(escaped == 'P');
    if (escaped == 'x') check_code_point();
    take(2);
    if (escaped == 'x' && next_is("{")) take(std::min(expression_.find('}', at_), expression_.size() - 1) + 1 - at_);
  }

  /// \p{L}, \P{Nd}, \p{^Han}. A script means the characters that are of it, not those that it is written with besides,
  /// which PCRE2 takes where it is not told. Names that are neither a category nor a script it then does not know.
  void take_property(bool negated) {
    const std::size_t end = expression_.find('}', at_);
    if (expression_.substr(at_ + 2, 1) != "{" || end == std::string_view::npos) {
      refuse(fmt::format("{} without a name in braces", in_quotes(expression_.substr(at_, 2))));
    }
    std::string_view name = expression_.substr(at_ + 3, end - at_ - 3);
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    written_ += fmt::format("\\{}{{{}{}}}", negated ? 'P' : 'p', name.size() <= 2 ? "" : "sc:", name);
    at_ = end + 1;
  }

  /// \x80 to \xFF are bytes to Oniguruma, code points to PCRE2.
  void check_code_point() const {
    const std::string_view digits = expression_.substr(at_ + 2, 2);
    const auto is_digit = [](char each) { return std::isxdigit(static_cast<unsigned char>(each)) != 0; };
    if (digits.size() == 2 && is_digit(digits[0]) && is_digit(digits[1]) && digits[0] >= '8') {
      refuse(fmt::format("{}, a byte,", in_quotes(expression_.substr(at_, 4))));
    }
  }

  /// Within (?i: all engines take the letters of ASCII for the same, with the two that differ from one of them by case
  /// alone, but for those that make ligatures.
  void check_caseless() const {
    const std::size_t begin = at_ + std::string_view("(?i:").size();
    const std::size_t end = std::min(expression_.find(')', begin), expression_.size());
    std::string text;
    for (std::size_t at = begin; at < end; ++at) {
      const std::string_view rest = expression_.substr(at, end - at);
      const bool long_s = rest.starts_with("\u017F");
      const bool kelvin = rest.starts_with("\u212A");
      const char each = long_s ? 's' : kelvin ? 'k' : rest.front();
      if (std::isalpha(static_cast<unsigned char>(each)) == 0 &&
          std::string_view("'|[] ").find(each) == std::string::npos) {
        refuse("a group without case of other than letters of ASCII");
      }
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
      at += long_s ? 1U : kelvin ? 2U : 0U;
    }
    for (const char* folded : {"ss", "ff", "fi", "fl", "st"}) {
      if (text.find(folded) != std::string::npos) refuse(fmt::format("a group without case with '{}'", folded));
    }
  }

  void open_class() {
    in_class_ = true;
    take(1);
    if (next_is("^")) take(1);
    if (next_is("]")) take(1);  // right behind the start it is a member
  }

  void take_in_class() {
    if (next_is("[") || next_is("&&")) refuse("a class within a class");
    in_class_ = !next_is("]");
    take(1);
  }

  void check_outside() const {
    if (next_is("^") || next_is("$")) refuse("an anchor");
    if (next_is("{,") || next_is("}+") || next_is("}?")) refuse("a repetition of its own kind");
    if (next_is("(*")) refuse("a group of its own kind");
    if (!next_is("(?")) return;
    for (const std::string_view known : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:"}) {
      if (!next_is(known)) continue;
      if (known == "(?i:") check_caseless();
      return;
    }
    refuse("a group of its own kind");
  }

  std::string_view expression_;
  std::string written_;
  std::size_t at_ = 0;
  bool in_class_ = false;
};

/// The parts between the bars that stand in no group and no class.
std::vector<std::string_view> alternatives_of(std::string_view expression) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int groups = 0;
  bool in_class = false;
  for (std::size_t at = 0; at < expression.size(); ++at) {
    const char each = expression[at];
    if (each == '\\') {
      ++at;
    } else if (in_class) {
      in_class = each != ']';
    } else if (each == '[') {
      in_class = true;
      if (expression.substr(at + 1, 1) == "^") ++at;
      if (expression.substr(at + 1, 1) == "]") ++at;
    } else if (each == '(' || each == ')') {
      groups += each == '(' ? 1 : -1;
    } else if (each == '|' && groups == 0) {
      parts.push_back(expression.substr(begin, at - begin));
      begin = at + 1;
    }
  }
  parts.push_back(expression.substr(begin));
  return parts;
}

}  // namespace

std::string translated(std::string_view expression) { return Translation(expression).run(); }

bool matches_everything(std::string_view expression) {
  using Forms = std::vector<std::string_view>;
  static const std::array<Forms, 4> kKinds = {
      Forms{R"(\p{L}+)", R"( ?\p{L}+)", R"([^\r\n\p{L}\p{N}]?\p{L}+)"},
      Forms{R"(\p{N})", R"(\p{N}+)", R"( ?\p{N}+)", R"(\p{N}{1,3})"},
      Forms{R"( ?[^\s\p{L}\p{N}]+)", R"( ?[^\s\p{L}\p{N}]+[\r\n]*)", R"( ?[^\s\p{L}\p{N}]+[\r\n/]*)"},
      Forms{R"(\s+)"},
  };
  const std::vector<std::string_view> alternatives = alternatives_of(expression);
  return std::all_of(kKinds.begin(), kKinds.end(), [&](const Forms& forms) {
    return std::find_first_of(forms.begin(), forms.end(), alternatives.begin(), alternatives.end()) != forms.end();
  });
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
  bool generated = false;  // machine code, which needs a stack of its own
};

Pattern::Pattern(const std::string& expression) : state_(std::make_unique<State>()) {
  state_->expression = expression;
  const std::string written = translated(expression);
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(
      pcre2_compile_context_create(nullptr), &pcre2_compile_context_free);
  if (!context) throw std::bad_alloc();
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);  // what a dot leaves out, however the library was built
  state_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(written.data()), written.size(), PCRE2_UTF | PCRE2_UCP,
                                   &error, &offset, context.get()));
  if (!state_->code) {
    throw Error(ErrorKind::bad_data, fmt::format("the pattern {} cannot be compiled: {} (at offset {} of {})",
                                                 in_quotes(expression), message_of(error), offset, in_quotes(written)));
  }
  // Where the machine allows no generated code the interpreter matches the same, slower.
  state_->generated = pcre2_jit_compile(state_->code.get(), PCRE2_JIT_COMPLETE) == 0;
}

Pattern::~Pattern() = default;

struct Pattern::Matcher::State {
  const Pattern::State& pattern;
  std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match;
  std::unique_ptr<pcre2_match_context, void (*)(pcre2_match_context*)> context;
  std::unique_ptr<pcre2_jit_stack, void (*)(pcre2_jit_stack*)> stack;
};

Pattern::Matcher::Matcher(const Pattern& pattern)
    : state_(
          new State{*pattern.state_,
                    {pcre2_match_data_create_from_pattern(pattern.state_->code.get(), nullptr), &pcre2_match_data_free},
                    {pcre2_match_context_create(nullptr), &pcre2_match_context_free},
                    {pcre2_jit_stack_create(kFirstStackBytes, kMostStackBytes, nullptr), &pcre2_jit_stack_free}}) {
  if (!state_->match || !state_->context || !state_->stack) throw std::bad_alloc();
  pcre2_jit_stack_assign(state_->context.get(), nullptr, state_->stack.get());
}

Pattern::Matcher::Matcher(Matcher&&) noexcept = default;
Pattern::Matcher& Pattern::Matcher::operator=(Matcher&&) noexcept = default;
Pattern::Matcher::~Matcher() = default;

std::optional<Pattern::Match> Pattern::Matcher::find(std::string_view text, std::size_t from) {
  // What generated code leaves out of the common call's checks is a third of the time of a short match.
  const auto run = state_->pattern.generated ? &pcre2_jit_match : &pcre2_match;
  const int found = run(state_->pattern.code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                        PCRE2_NO_UTF_CHECK, state_->match.get(), state_->context.get());
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0) {
    throw MatchingGaveUp(fmt::format("matching the pattern {} at byte {} of a text failed: {}",
                                     in_quotes(state_->pattern.expression), from, message_of(found)));
  }
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(state_->match.get());
  return Match{bounds[0], bounds[1]};
}

}  // namespace chainrule::io::tokenizer
