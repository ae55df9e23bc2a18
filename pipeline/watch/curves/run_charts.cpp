#include "pipeline/watch/curves/run_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <set>

#include "pipeline/show/chart/line_chart.h"
#include "pipeline/show/legible.h"

namespace chainrule::pipeline::watch::curves {
namespace {

using show::chart::Curve;
using show::chart::LineChart;
using show::chart::VerticalAxis;

/// What a chart shows of a run; null where it has none.
using SeriesOf = std::function<const ThinnedSeries*(const RunHistory&)>;

struct ChartPlan {
  std::string title;
  std::string unit;
  SeriesOf series;
  double log_from_ratio = 0;  ///< of greatest to least value, from which on the axis is logarithmic; 0: never
  bool from_zero = false;
  bool of_steps = false;    ///< shows also what became of steps
  bool where_told = false;  ///< is left out where no run tells of it
};

std::vector<ChartPlan> plans_of(const std::vector<RunHistory>& runs) {
  std::vector<ChartPlan> plans;
  plans.push_back({"Training loss", "nats a token", [](const RunHistory& run) { return &run.loss; }, 2, false, true});
  plans.push_back({"Validation loss", "nats a token", [](const RunHistory& run) { return &run.validation_loss; }, 2,
                   false, false, true});
  std::set<std::string> sources;
  for (const RunHistory& run : runs) {
    for (const auto& [source, series] : run.validation) sources.insert(source);
  }
  for (const std::string& source : sources) {
    if (plans.size() == 2 + kMostSources) break;
    plans.push_back({"Validation loss: " + short_text(source), "nats a token",
                     [source](const RunHistory& run) -> const ThinnedSeries* {
                       const auto found = run.validation.find(source);
                       return found == run.validation.end() ? nullptr : &found->second;
                     },
                     2});
  }
  plans.push_back(
      {"Learning rate", "learning rate", [](const RunHistory& run) { return &run.learning_rate; }, 0, true});
  plans.push_back({"Gradient norm", "nats a token", [](const RunHistory& run) { return &run.gradient_norm; }, 10});
  plans.push_back({"Throughput", "tokens/s", [](const RunHistory& run) { return &run.tokens_per_second; }, 0, true});
  plans.push_back({"Share of the machine's peak", "of multiply-adds",
                   [](const RunHistory& run) { return &run.peak_fraction; }, 0, true, false, true});
  plans.push_back(
      {"Energy", "joules a token", [](const RunHistory& run) { return &run.joules_per_token; }, 0, true, false, true});
  std::erase_if(plans, [&](const ChartPlan& plan) {
    const auto tells = [&](const RunHistory& run) {
      return plan.series(run) != nullptr && plan.series(run)->values() != 0;
    };
    return plan.where_told && std::none_of(runs.begin(), runs.end(), tells);
  });
  return plans;
}

/// How many buckets a series may have, so that all of them make a page of about a megabyte.
std::size_t most_buckets(std::size_t series) {
  constexpr std::size_t kAllBuckets = 40'000;  // some thirty bytes each
  return std::clamp<std::size_t>(std::bit_floor(kAllBuckets / std::max<std::size_t>(1, series)), 64, 1024);
}

/// Where a step, or a place between two, lies on the axis.
using PlaceOf = std::function<double(double step)>;

Curve curve_of(const ThinnedSeries& series, const std::string& name, int look, const PlaceOf& x_of) {
  Curve curve;
  curve.name = name;
  curve.look = look;
  for (const ThinnedSeries::Bucket& bucket : series.buckets()) {
    // Sums of values that are all the same may miss them by a last bit.
    const double mean = std::clamp(bucket.mean(), bucket.minimum, bucket.maximum);
    curve.points.push_back({x_of(bucket.middle_step()), mean, bucket.minimum, bucket.maximum, bucket.behind_gap});
  }
  return curve;
}

void add_marks(const RunHistory& run, const std::string& name, int look, const PlaceOf& x_of, bool alone,
               LineChart& chart) {
  for (const RunEvent& event : run.events.in_order()) {
    const double x = x_of(static_cast<double>(event.step));
    const std::string text = fmt::format("{}, step {}: {}", name, event.step, short_text(event.text));
    if (event.kind == EventKind::skipped) chart.crosses.push_back({x, look, text});
    if (event.kind == EventKind::start && event.step > 0 && alone) chart.lines.push_back({x, look, text});
  }
}

std::string described(const ChartPlan& plan, const std::vector<RunHistory>& runs,
                      const std::vector<std::string>& names) {
  std::string text = plan.title;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const ThinnedSeries* series = plan.series(runs[i]);
    if (series == nullptr || series->values() == 0) continue;
    text += fmt::format("; {}: from {:.4g} to {:.4g}, at last {:.4g}", names[i], series->minimum(), series->maximum(),
                        series->last());
  }
  return text;
}

RunChart chart_of(const ChartPlan& plan, const std::vector<RunHistory>& runs, const std::vector<std::string>& names,
                  std::size_t buckets) {
  const bool tokens = over_tokens(runs);
  LineChart chart;
  chart.what = described(plan, runs, names);
  chart.x_name = tokens ? "tokens" : "step";
  chart.y_name = plan.unit;
  chart.from_zero = plan.from_zero;
  chart.marked = runs.size() > 1;
  chart.x_least = INFINITY;
  double least = NAN;
  double most = NAN;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const PlaceOf x_of = [&, i](double step) { return tokens ? runs[i].tokens.at(step) : step; };
    if (!runs[i].loss.buckets().empty()) {
      const auto first = static_cast<double>(runs[i].loss.buckets().front().first_step);
      chart.x_least = std::fmin(chart.x_least, first < 100 ? 0 : x_of(first));
    }
    chart.x_most = std::fmax(chart.x_most, x_of(static_cast<double>(runs[i].step())));
    if (plan.of_steps) add_marks(runs[i], names[i], static_cast<int>(i), x_of, runs.size() == 1, chart);
    const ThinnedSeries* const found = plan.series(runs[i]);
    if (found == nullptr) continue;
    ThinnedSeries series = *found;
    series.coarsen(buckets);
    least = std::fmin(least, series.minimum());
    most = std::fmax(most, series.maximum());
    chart.curves.push_back(curve_of(series, names[i], static_cast<int>(i), x_of));
  }
  if (!std::isfinite(chart.x_least)) chart.x_least = 0;
  if (plan.log_from_ratio > 0 && least > 0 && most >= plan.log_from_ratio * least) {
    chart.vertical = VerticalAxis::logarithmic;
  }
  return {plan.title, show::chart::to_svg(chart)};
}

}  // namespace

std::string short_text(const std::string& text) { return show::legible_beginning(text, 160, show::Spaces::kept); }

bool over_tokens(const std::vector<RunHistory>& runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (runs[i].tokens.differ_from(runs[j].tokens)) return true;
    }
  }
  return false;
}

std::vector<RunChart> charts_of(const std::vector<RunHistory>& runs, const std::vector<std::string>& names) {
  const std::vector<ChartPlan> plans = plans_of(runs);
  std::vector<RunChart> charts;
  for (const ChartPlan& plan : plans) {
    charts.push_back(chart_of(plan, runs, names, most_buckets(runs.size() * plans.size())));
  }
  return charts;
}

}  // namespace chainrule::pipeline::watch::curves
