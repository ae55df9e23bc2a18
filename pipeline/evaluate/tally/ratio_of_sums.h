#pragma once
#include <cstdint>
#include <optional>

namespace chainrule::pipeline::evaluate::tally {

/// Standard errors on either side that hold the true value in 95 % of corpora: the normal distribution's.
inline constexpr double kErrorsOf95Percent = 1.959963984540054;

/// A ratio of sums over documents (or other clusters), sum y / sum x, and its standard error clustered by them:
/// sqrt(D/(D-1) sum (y - ratio x)^2) / sum x (Cochran, Sampling Techniques, 1977, section 6.4), squares multiplied out.
class RatioOfSums {
 public:
  void add(double y, double x);

  std::uint64_t documents() const { return documents_; }
  /// Empty where sum x is 0.
  std::optional<double> ratio() const;
  /// Empty for fewer than two documents.
  std::optional<double> standard_error() const;
  /// Of one document, so that D documents have standard_deviation() / sqrt(D): what says how many are needed.
  std::optional<double> standard_deviation() const;

 private:
  std::uint64_t documents_ = 0;
  double y_ = 0;
  double x_ = 0;
  double yy_ = 0;
  double xy_ = 0;
  double xx_ = 0;
};

}  // namespace chainrule::pipeline::evaluate::tally
