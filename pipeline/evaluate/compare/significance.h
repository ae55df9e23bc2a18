#pragma once

// What differences tell, by the normal distribution.
namespace chainrule::pipeline::evaluate::compare {

/// Of a two-sided test that the true value is 0, by the normal distribution.
double p_value(double value, double standard_error);

/// The standard normal's quantile, 0 < p < 1, to 1e-9.
double normal_quantile(double p);

/// Documents that tell a difference of `difference` apart from none at level 0.05 with this power (0.8: in four of five
/// corpora): ((z_0.975 + z_power) deviation / difference)^2, rounded up.
double documents_needed(double deviation_of_one_document, double difference, double power);

}  // namespace chainrule::pipeline::evaluate::compare
