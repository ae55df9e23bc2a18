#pragma once
#include <string>
#include <vector>

namespace chainrule::pipeline::show::chart {

/// A place on an axis that has a label.
struct Tick {
  double value = 0;
  std::string label;
};

/// Where values lie on an axis: 0 at its lower end, 1 at its upper.
class Scale {
 public:
  /// From at or below least to at or above most, both at ticks; where they are equal or not finite, some range that
  /// holds them.
  static Scale linear(double least, double most);
  /// From least to most, both above 0.
  static Scale logarithmic(double least, double most);
  /// Of whole numbers from least to most, such as steps; it ends where they do.
  static Scale counting(double least, double most);

  /// Values beyond an end lie at it.
  double place(double value) const;
  const std::vector<Tick>& ticks() const { return ticks_; }
  bool is_logarithmic() const { return logarithmic_; }

 private:
  Scale(double low, double high, bool logarithmic) : low_(low), high_(high), logarithmic_(logarithmic) {}

  double low_;
  double high_;
  bool logarithmic_;
  std::vector<Tick> ticks_;
};

/// A number as an axis has it: "0.0004", "1e-05", "250", "1.5k", "20M".
std::string axis_number(double value);

}  // namespace chainrule::pipeline::show::chart
