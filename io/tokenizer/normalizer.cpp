#include "io/tokenizer/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace chainrule::io::tokenizer {
namespace {

constexpr utf8proc_int32_t kFirstCombining = 0x300;
constexpr unsigned char kFirstCombiningByte = 0xCC;  // of U+0300 in UTF-8
constexpr int kMostDecomposed = 8;                   // code points of one character's decomposition: 4 in Unicode 14

/// Characters that are normalized together.
class Run {
 public:
  void add(utf8proc_int32_t point) {
    std::array<utf8proc_int32_t, kMostDecomposed> parts{};
    int boundary = 0;
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(point, parts.data(), parts.size(), UTF8PROC_DECOMPOSE, &boundary);
    if (count < 0 || count > kMostDecomposed) {
      throw std::logic_error("a character's decomposition is longer than Unicode allows");
    }
    points_.insert(points_.end(), parts.begin(), parts.begin() + count);
  }

  /// Appends the run in form C to text, and is empty then.
  void compose(std::string& text) {
    reorder();
    const utf8proc_ssize_t count =
        utf8proc_normalize_utf32(points_.data(), static_cast<utf8proc_ssize_t>(points_.size()),
                                 static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    if (count < 0) throw std::logic_error(utf8proc_errmsg(count));
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      std::array<utf8proc_uint8_t, 4> bytes{};
      const utf8proc_ssize_t length = utf8proc_encode_char(points_[static_cast<std::size_t>(i)], bytes.data());
      text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
    }
    points_.clear();
  }

 private:
  static int combining_class(utf8proc_int32_t point) { return utf8proc_get_property(point)->combining_class; }

  /// Canonical ordering. The library's own takes quadratic time on a long run of marks.
  void reorder() {
    for (auto at = points_.begin(); at != points_.end();) {
      at = std::find_if(at, points_.end(), [](auto point) { return combining_class(point) != 0; });
      const auto end = std::find_if(at, points_.end(), [](auto point) { return combining_class(point) == 0; });
      std::stable_sort(at, end, [](auto a, auto b) { return combining_class(a) < combining_class(b); });
      at = end;
    }
  }

  std::vector<utf8proc_int32_t> points_;
};

std::string replaced(std::string_view text, const Replace& step) {
  std::string made;
  made.reserve(text.size() + text.size() / 4);
  std::size_t begin = 0;
  for (std::size_t at = text.find(step.text); at != std::string_view::npos; at = text.find(step.text, begin)) {
    made += text.substr(begin, at - begin);
    made += step.by;
    begin = at + step.text.size();
  }
  made += text.substr(begin);
  return made;
}

}  // namespace

bool is_composed(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char each) { return static_cast<unsigned char>(each) < kFirstCombiningByte; });
}

std::string compose_canonically(std::string_view text) {
  std::string composed;
  composed.reserve(text.size());
  Run run;
  std::size_t run_begin = 0;  // a run is one character below U+0300 and all that follow it and are not
  bool long_run = false;
  const auto end_run = [&](std::size_t at) {
    if (long_run) {
      for (std::size_t place = run_begin; place < at;) {
        utf8proc_int32_t point = 0;
        place +=
            static_cast<std::size_t>(utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + place,
                                                      static_cast<utf8proc_ssize_t>(at - place), &point));
        run.add(point);
      }
      run.compose(composed);
    } else {
      composed += text.substr(run_begin, at - run_begin);
    }
    run_begin = at;
    long_run = false;
  };
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                                    static_cast<utf8proc_ssize_t>(text.size() - at), &point);
    if (bytes <= 0) {  // no character: nothing composes with it
      end_run(at);
      composed += text[at++];
      run_begin = at;
      continue;
    }
    if (point < kFirstCombining) end_run(at);
    if (point >= kFirstCombining) long_run = true;
    at += static_cast<std::size_t>(bytes);
  }
  end_run(text.size());
  return composed;
}

std::string_view Normalizer::apply(std::string_view text, bool at_start, std::string& changed) const {
  if (text.empty()) return text;
  for (const Normalization& step : steps_) {
    if (const auto* prepend = std::get_if<Prepend>(&step)) {
      if (text.empty() || !at_start) continue;
      changed = prepend->text + std::string(text);
    } else if (const auto* replace = std::get_if<Replace>(&step)) {
      changed = replaced(text, *replace);
    } else {
      if (is_composed(text)) continue;
      changed = compose_canonically(text);
    }
    text = changed;
  }
  return text;
}

bool Normalizer::works_in_parts() const {
  return std::all_of(steps_.begin(), steps_.end(),
                     [](const Normalization& step) { return std::holds_alternative<ComposeCanonically>(step); });
}

bool Normalizer::only_spells_spaces(std::string_view spelling) const {
  return std::all_of(steps_.begin(), steps_.end(), [&](const Normalization& step) {
    const auto* replace = std::get_if<Replace>(&step);
    return replace != nullptr ? replace->text == " " && replace->by == spelling : std::holds_alternative<Prepend>(step);
  });
}

}  // namespace chainrule::io::tokenizer
