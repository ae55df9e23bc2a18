#pragma once
#include <cstdint>
#include <optional>

namespace chainrule::pipeline::evaluate::compare {

/// A ratio of sums over documents, sum y / sum x, and its standard error clustered by document:
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

/// Of a two-sided test that the true value is 0, by the normal distribution.
double p_value(double value, double standard_error);

/// The standard normal's quantile, 0 < p < 1, to 1e-9.
double normal_quantile(double p);

/// Documents that tell a difference of `difference` apart from none at level 0.05 with this power (0.8: in four of five
/// corpora): ((z_0.975 + z_power) deviation / difference)^2, rounded up.
double documents_needed(double deviation_of_one_document, double difference, double power);

}  // namespace chainrule::pipeline::evaluate::compare
