#include "pipeline/watch/curves/curves_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <kainjow/mustache.hpp>
#include <map>
#include <set>
#include <utility>

#include "pipeline/show/chart/line_chart.h"
#include "pipeline/show/chart/line_chart_style.h"
#include "pipeline/show/numbers.h"
#include "pipeline/show/page/page_values.h"
#include "pipeline/watch/curves/curves_style.h"
#include "pipeline/watch/curves/curves_template.h"
#include "pipeline/watch/curves/run_charts.h"

namespace chainrule::pipeline::watch::curves {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::list;
using show::page::object;
using show::page::total;
using Runs = std::vector<RunHistory>;

constexpr std::size_t kMostOptions = 200;

/// What runs are called: their folders' names, or whole paths where two have the same one.
std::vector<std::string> names_of(const Runs& runs) {
  const auto short_name = [](const std::filesystem::path& folder) {
    const std::filesystem::path path = folder.lexically_normal();
    const std::string name = (path.has_filename() ? path : path.parent_path()).filename().string();
    return name.empty() || name == "." ? folder.string() : name;
  };
  std::map<std::string, int> counts;
  for (const RunHistory& run : runs) ++counts[short_name(run.folder)];
  std::vector<std::string> names;
  for (const RunHistory& run : runs) {
    const std::string name = short_name(run.folder);
    names.push_back(short_text(counts[name] == 1 ? name : run.folder.string()));
  }
  return names;
}

std::string fixed_or_none(double value) {
  return std::isfinite(value) ? fmt::format("{:.4f}", value) : std::string("-");
}

std::string step_text(const RunHistory& run) {
  const std::string step = show::grouped(static_cast<std::uint64_t>(run.step()));
  return run.last_step ? step + " of " + show::grouped(static_cast<std::uint64_t>(*run.last_step)) : step;
}

std::string sample_of(const Runs& runs, std::size_t run) {
  return runs.size() == 1 ? std::string() : show::chart::legend_svg(static_cast<int>(run));
}

/// A list in an object, or nothing where it is empty: templates show what is around a list once.
data some(const list& rows) {
  if (rows.empty()) return data(false);
  data made = object({});
  made.set("each", rows);
  return made;
}

list totals_of(const RunHistory& run) {
  list totals;
  totals.push_back(total("loss", fixed_or_none(run.loss.last()), "nats a token, of the last step"));
  totals.push_back(total("validation loss", fixed_or_none(run.validation_loss.last()),
                         run.validation_loss.values() == 0
                             ? std::string("nats a token")
                             : fmt::format("nats a token, at step {}", show::grouped(static_cast<std::uint64_t>(
                                                                           run.validation_loss.last_step())))));
  totals.push_back(total(
      "steps", show::grouped(static_cast<std::uint64_t>(run.step())),
      run.last_step ? fmt::format("of {}", show::grouped(static_cast<std::uint64_t>(*run.last_step))) : std::string()));
  const MetricsLine none;
  const MetricsLine& last = run.last ? *run.last : none;
  totals.push_back(total("tokens", show::scaled(static_cast<double>(last.tokens)), ""));
  totals.push_back(total("time", show::clock_time(last.elapsed_seconds), "of training"));
  totals.push_back(total("throughput", show::scaled(run.tokens_per_second.values() ? run.tokens_per_second.last() : 0),
                         "tokens/s, of the last step"));
  return totals;
}

data final_values(const RunHistory& run, const std::string& name, const std::string& sample) {
  const MetricsLine none;
  const MetricsLine& last = run.last ? *run.last : none;
  const auto number = [](const ThinnedSeries& series, const char* shape) {
    return series.values() == 0 ? std::string("-") : fmt::format(fmt::runtime(shape), series.last());
  };
  return object({{"run", name},
                 {"sample", sample},
                 {"step", step_text(run)},
                 {"tokens", show::scaled(static_cast<double>(last.tokens))},
                 {"loss", !run.last                       ? std::string("-")
                          : std::isfinite(last.loss_nats) ? fixed_or_none(last.loss_nats)
                                                          : std::string("not finite")},
                 {"validation", fixed_or_none(run.validation_loss.last())},
                 {"best", fixed_or_none(run.validation_loss.minimum())},
                 {"rate", number(run.learning_rate, "{:.3g}")},
                 {"norm", number(run.gradient_norm, "{:.3g}")},
                 {"speed", number(run.tokens_per_second, "{:.0f}")},
                 {"time", show::clock_time(last.elapsed_seconds)}});
}

data sources_of(const Runs& runs, const std::vector<std::string>& names) {
  std::map<std::string, std::string> lines;
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    left_out += runs[i].sources_left_out;
    for (const auto& [source, series] : runs[i].validation) {
      std::string& line = lines[source];
      if (!line.empty()) line += ", ";
      if (runs.size() > 1) line += names[i] + ": ";
      line += fixed_or_none(series.last());
    }
  }
  list rows;
  for (const auto& [source, line] : lines) rows.push_back(object({{"name", short_text(source)}, {"value", line}}));
  data made = some(rows);
  if (!rows.empty()) {
    made.set("left_out", left_out == 0 ? std::string() : fmt::format(" {} more are not shown.", left_out));
  }
  return made;
}

std::string when(const RunEvent& event) {
  if (!event.time.empty()) return short_text(event.time);
  return event.elapsed_seconds ? show::clock_time(*event.elapsed_seconds, show::Hours::always) : std::string();
}

data events_of(const RunHistory& run, const std::string& name, const std::string& sample, bool open) {
  list rows;
  for (const RunEvent& event : run.events.in_order()) {
    const bool warns =
        event.kind == EventKind::skipped || event.kind == EventKind::slow_rank || event.kind == EventKind::rollback;
    rows.push_back(object({{"class", warns ? "warn" : ""},
                           {"step", show::grouped(static_cast<std::uint64_t>(event.step))},
                           {"kind", name_of(event.kind)},
                           {"when", when(event)},
                           {"text", short_text(event.text)}}));
  }
  std::string counts;
  for (int i = 0; i < kEventKinds; ++i) {
    const auto kind = static_cast<EventKind>(i);
    if (run.events.left_out(kind) == 0) continue;
    counts += fmt::format("{}Of {} events '{}' {} in between are not shown.", counts.empty() ? "" : " ",
                          show::grouped(static_cast<std::uint64_t>(run.events.count(kind))), name_of(kind),
                          show::grouped(static_cast<std::uint64_t>(run.events.left_out(kind))));
  }
  data made = object({{"run", name}, {"sample", sample}, {"place", short_text(run.environment)}, {"counts", counts}});
  made.set("some", some(rows));
  made.set("open", data(open));
  return made;
}

/// Options by name; those with several values in one text.
std::map<std::string, std::string> options_of(const RunHistory& run) {
  std::map<std::string, std::string> options;
  for (const auto& [name, value] : run.configuration) {
    std::string& known = options[name];
    known += (known.empty() ? "" : ", ") + value;
  }
  return options;
}

list differences_of(const Runs& runs, const std::vector<std::string>& names) {
  std::vector<std::map<std::string, std::string>> options;
  std::set<std::string> all;
  for (const RunHistory& run : runs) {
    options.push_back(options_of(run));
    for (const auto& [name, value] : options.back()) all.insert(name);
  }
  list rows;
  for (const std::string& name : all) {
    std::set<std::string> values;
    std::vector<std::pair<std::string, std::string>> facts;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto found = options[i].find(name);
      facts.emplace_back(names[i], found == options[i].end() ? std::string("-") : short_text(found->second));
      values.insert(facts.back().second);
    }
    if (values.size() < 2 || name == "run" || rows.size() == kMostOptions) continue;
    data row = object({{"name", short_text(name)}});
    row.set("facts", show::page::facts_list(facts));
    rows.push_back(row);
  }
  return rows;
}

data option_table(const RunHistory& run, const std::string& name) {
  std::vector<std::pair<std::string, std::string>> facts;
  for (const auto& [option, value] : run.configuration) {
    if (facts.size() < kMostOptions) facts.emplace_back(short_text(option), short_text(value));
  }
  data made = object({{"run", name}});
  made.set("facts", show::page::facts_list(facts));
  return made;
}

list chart_list(const Runs& runs, const std::vector<std::string>& names) {
  list charts;
  for (const RunChart& chart : charts_of(runs, names)) {
    charts.push_back(object({{"title", chart.title}, {"svg", chart.svg}}));
  }
  return charts;
}

}  // namespace

std::string page_beginning() {
  return std::string(kCurvesTemplate.substr(0, kCurvesTemplate.find("<meta name=\"viewport\"")));
}

std::string render_curves_page(const Runs& runs, std::time_t now, const std::string& command) {
  const std::vector<std::string> names = names_of(runs);
  const bool alone = runs.size() == 1;
  list legend;
  list finals;
  list events;
  list options;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string sample = sample_of(runs, i);
    if (!alone) legend.push_back(object({{"name", names[i]}, {"sample", sample}}));
    finals.push_back(final_values(runs[i], names[i], sample));
    events.push_back(events_of(runs[i], names[i], sample, alone));
    if (!runs[i].configuration.empty()) options.push_back(option_table(runs[i], names[i]));
  }
  data page = object({{"title", alone ? names.front() : fmt::format("{} runs", runs.size())},
                      {"kind", alone ? "Pretraining run" : "Pretraining runs"},
                      {"subtitle", alone ? "step " + step_text(runs.front()) : std::string("compared step by step")},
                      {"time", show::utc_text(now)},
                      {"curves_note",
                       "Where several steps share a place: their mean as a line, from the least to the greatest as a "
                       "band. Crosses are "
                       "steps that were passed over" +
                           std::string(alone ? "; dotted lines are where the run went on." : ".")},
                      {"chart_style", std::string(show::chart::kLineChartStyle)},
                      {"own_style", std::string(kCurvesStyle)},
                      {"command", show::page::safe(command)}});
  if (over_tokens(runs)) page.set("subtitle", "compared by tokens, as their steps have not as many");
  page.set("totals", alone ? some(totals_of(runs.front())) : data(false));
  page.set("legend", some(legend));
  page.set("charts", chart_list(runs, names));
  page.set("finals", finals);
  page.set("sources", sources_of(runs, names));
  page.set("events", events);
  page.set("differences", alone ? data(false) : some(differences_of(runs, names)));
  page.set("options", options);
  return show::page::fill_in(kCurvesTemplate, page);
}

}  // namespace chainrule::pipeline::watch::curves
