#include "pipeline/show/chart/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "pipeline/show/chart/scale.h"
#include "pipeline/show/markup.h"

namespace chainrule::pipeline::show::chart {
namespace {

constexpr double kWidth = 520;
constexpr double kHeight = 290;
constexpr double kLeft = 74;  // for labels in the letters of a narrow window, which are larger
constexpr double kRight = 14;
constexpr double kTop = 30;
constexpr double kBottom = 50;
constexpr int kColours = 8;
constexpr int kMarksOfACurve = 6;

/// "c3 d11": the style sheet's colour and dashes.
std::string classes_of(int look) { return fmt::format("c{} d{}", look % kColours, look); }

/// Marks of eight shapes, the second eight hollow.
std::string mark_svg(int look, double x, double y) {
  const char* fill = look < kColours ? "full" : "hollow";
  const std::string place = fmt::format("transform=\"translate({:.1f} {:.1f})\"", x, y);
  constexpr const char* kShapes[kColours] = {"M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
                                             "M-3.6-3.6h7.2v7.2h-7.2z",
                                             "M0-4.8l4.6 8.2h-9.2z",
                                             "M0-5.2l5.2 5.2l-5.2 5.2l-5.2-5.2z",
                                             "M0 4.8l4.6-8.2h-9.2z",
                                             "M-1.6-4.8h3.2v3.2h3.2v3.2h-3.2v3.2h-3.2v-3.2h-3.2v-3.2h3.2z",
                                             "M-5-2.4h10v4.8h-10z",
                                             "M-2.4-5h4.8v10h-4.8z"};
  return fmt::format(R"(<path class="mark {} c{}" {} d="{}"/>)", fill, look % kColours, place,
                     kShapes[look % kColours]);
}

class Plot {
 public:
  explicit Plot(const LineChart& chart)
      : chart_(chart), x_(Scale::counting(chart.x_least, chart.x_most)), y_(vertical_of(chart)) {}

  std::string draw() {
    append(R"(<svg class="lines" viewBox="0 0 {} {}" role="img" aria-label="{}">)", kWidth, kHeight,
           escape_markup(chart_.what));
    axes();
    for (const Mark& line : chart_.lines) vertical_line(line);
    for (const Curve& curve : chart_.curves) band(curve);
    for (const Curve& curve : chart_.curves) line(curve);
    if (chart_.marked) {
      for (const Curve& curve : chart_.curves) marks(curve);
    }
    for (const Mark& cross : chart_.crosses) cross_at(cross);
    return svg_ + "</svg>";
  }

 private:
  static Scale vertical_of(const LineChart& chart) {
    double least = std::numeric_limits<double>::quiet_NaN();
    double most = least;
    for (const Curve& curve : chart.curves) {
      for (const Curve::Point& point : curve.points) {
        least = std::fmin(least, point.low);
        most = std::fmax(most, point.high);
      }
    }
    if (chart.vertical == VerticalAxis::logarithmic && least > 0) return Scale::logarithmic(least, most);
    return Scale::linear(chart.from_zero ? std::fmin(least, 0) : least, most);
  }

  template <typename... Values>
  void append(fmt::format_string<Values...> shape, Values&&... values) {
    fmt::format_to(std::back_inserter(svg_), shape, std::forward<Values>(values)...);
  }

  double across(double value) const { return kLeft + (kWidth - kLeft - kRight) * x_.place(value); }
  double up(double value) const { return kTop + (kHeight - kTop - kBottom) * (1 - y_.place(value)); }

  void axes() {
    for (const Tick& tick : y_.ticks()) {
      append(R"(<line class="axis" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", kLeft, kWidth - kRight, up(tick.value),
             up(tick.value));
      append(R"(<text x="{}" y="{:.1f}" dy=".35em" text-anchor="end">{}</text>)", kLeft - 7, up(tick.value),
             tick.label);
    }
    const double floor = kHeight - kBottom;
    append(R"(<line class="floor" x1="{}" x2="{}" y1="{}" y2="{}"/>)", kLeft, kWidth - kRight, floor, floor);
    for (const Tick& tick : x_.ticks()) {
      const double x = across(tick.value);
      const bool last = x > kWidth - kRight - 12;
      append(R"(<line class="floor" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>)", x, x, floor, floor + 4);
      append(R"(<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>)", last ? kWidth - 2 : x, floor + 20,
             last ? "end" : "middle", tick.label);
    }
    append(R"(<text class="name" x="2" y="16">{}{}</text>)", escape_markup(chart_.y_name),
           y_.is_logarithmic() ? ", log scale" : "");
    append(R"(<text class="name" x="{}" y="{}" text-anchor="end">{}</text>)", kWidth - kRight, kHeight - 5,
           escape_markup(chart_.x_name));
  }

  /// Calls take with each stretch of points between gaps.
  template <typename Take>
  static void stretches(const Curve& curve, const Take& take) {
    auto begin = curve.points.begin();
    while (begin != curve.points.end()) {
      const auto end =
          std::find_if(begin + 1, curve.points.end(), [](const Curve::Point& point) { return point.behind_gap; });
      take(begin, end);
      begin = end;
    }
  }

  void band(const Curve& curve) {
    std::string path;
    stretches(curve, [&](auto begin, auto end) {
      if (std::all_of(begin, end, [](const Curve::Point& point) { return point.low == point.high; })) return;
      for (auto point = begin; point != end; ++point) {
        fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", point == begin ? "M" : "L", across(point->x),
                       up(point->high));
      }
      for (auto point = end; point != begin;) {
        --point;
        fmt::format_to(std::back_inserter(path), "L{:.1f} {:.1f}", across(point->x), up(point->low));
      }
      path += "z";
    });
    if (!path.empty()) append(R"(<path class="band c{}" d="{}"/>)", curve.look % kColours, path);
  }

  void line(const Curve& curve) {
    std::string path;
    stretches(curve, [&](auto begin, auto end) {
      for (auto point = begin; point != end; ++point) {
        fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", point == begin ? "M" : "L", across(point->x),
                       up(point->y));
      }
      if (end - begin == 1) path += "h.01";  // a dot, by the line's round ends
    });
    if (path.empty()) return;
    append(R"(<path class="line {}" d="{}"><title>{}</title></path>)", classes_of(curve.look), path,
           escape_markup(curve.name));
  }

  /// Some, at other places for each curve, and one at its end.
  void marks(const Curve& curve) {
    if (curve.points.empty()) return;
    const double apart = (kWidth - kLeft - kRight) / kMarksOfACurve;
    double next = kLeft + apart * (0.5 + static_cast<double>(curve.look % kColours) / kColours);
    if (next > kLeft + apart) next -= apart;
    for (const Curve::Point& point : curve.points) {
      if (across(point.x) < next) continue;
      svg_ += mark_svg(curve.look, across(point.x), up(point.y));
      while (next <= across(point.x)) next += apart;
    }
    svg_ += mark_svg(curve.look, across(curve.points.back().x), up(curve.points.back().y));
  }

  void vertical_line(const Mark& mark) {
    append(R"(<line class="went-on c{}" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"><title>{}</title></line>)",
           mark.look % kColours, across(mark.x), across(mark.x), kTop, kHeight - kBottom, escape_markup(mark.text));
  }

  void cross_at(const Mark& mark) {
    append(
        R"svg(<path class="cross c{}" transform="translate({:.1f} {})" d="M-4-4l8 8m0-8l-8 8"><title>{}</title></path>)svg",
        mark.look % kColours, across(mark.x), kTop + 2, escape_markup(mark.text));
  }

  const LineChart& chart_;
  Scale x_;
  Scale y_;
  std::string svg_;
};

}  // namespace

std::string to_svg(const LineChart& chart) {
  const bool any =
      std::any_of(chart.curves.begin(), chart.curves.end(), [](const Curve& curve) { return !curve.points.empty(); });
  return any ? Plot(chart).draw() : std::string("<p class=\"note\">No finite value.</p>");
}

std::string legend_svg(int look) {
  return fmt::format(
      R"(<svg class="lines" viewBox="0 0 44 14" aria-hidden="true"><path class="line {}" d="M1 7L43 7"/>{}</svg>)",
      classes_of(look), mark_svg(look, 22, 7));
}

}  // namespace chainrule::pipeline::show::chart
