#pragma once
#include <string>
#include <vector>

namespace chainrule::pipeline::show::chart {

/// How many curves look different from each other: by colour, dashes and the shape of their marks.
inline constexpr int kLooks = 16;

/// Points of one series from left to right.
struct Curve {
  struct Point {
    double x = 0;
    double y = 0;
    double low = 0;  ///< of what the point stands for; y where it stands for itself
    double high = 0;
    bool behind_gap = false;  ///< no line leads to it
  };
  std::string name;  ///< what it is, where a pointer rests on it
  int look = 0;      ///< 0 ... kLooks - 1
  std::vector<Point> points;
};

/// Something that happened at a place of the x axis.
struct Mark {
  double x = 0;
  int look = 0;
  std::string text;
};

enum class VerticalAxis { linear, logarithmic };

struct LineChart {
  std::string what;    ///< for those who cannot see it
  std::string x_name;  ///< "step"
  std::string y_name;  ///< with its unit: "nats a token"
  double x_least = 0;
  double x_most = 1;
  VerticalAxis vertical = VerticalAxis::linear;
  bool from_zero = false;  ///< a linear axis begins there
  std::vector<Curve> curves;
  std::vector<Mark> crosses;  ///< at the upper edge: steps that were passed over
  std::vector<Mark> lines;    ///< from edge to edge: where a run went on
  bool marked = false;        ///< curves bear marks, so that they can be told apart without colour
};

/// An inline SVG that is styled by line_chart.css; a note where no curve has a point. Texts are escaped.
std::string to_svg(const LineChart& chart);

/// A piece of a curve with its mark, for a legend.
std::string legend_svg(int look);

}  // namespace chainrule::pipeline::show::chart
