#include "pipeline/evaluate/page/comparison_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <kainjow/mustache.hpp>

#include "pipeline/evaluate/compare/significance.h"
#include "pipeline/evaluate/page/charts.h"
#include "pipeline/evaluate/page/comparison_template.h"
#include "pipeline/show/numbers.h"
#include "pipeline/show/page/page_values.h"

namespace chainrule::pipeline::evaluate::page {
namespace {

using compare::Comparison;
using compare::Comparisons;
using compare::PairedDifference;
using kainjow::mustache::data;
using kainjow::mustache::list;
using show::page::facts_list;
using show::page::fill_in;
using show::page::fixed;
using show::page::object;
using show::page::perplexity_text;
using show::page::safe;
using show::page::total;

/// A difference in bits per byte and what is known of it.
struct Difference {
  explicit Difference(const tally::RatioOfSums& ratio) : value(ratio.ratio()), error(ratio.standard_error()) {}

  double reach() const { return error ? tally::kErrorsOf95Percent * *error : 0; }
  double low() const { return value.value_or(0) - reach(); }
  double high() const { return value.value_or(0) + reach(); }
  double p() const { return compare::p_value(*value, *error); }
  bool told_apart() const { return value && error && (low() > 0 || high() < 0); }

  std::optional<double> value, error;
};

std::string signed_text(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:+.{}f}", *value, digits) : std::string("-");
}

/// As others call it: its folder.
std::string name_of(const std::filesystem::path& report) {
  const std::filesystem::path path = report.has_filename() ? report : report.parent_path();
  return safe(path.filename().string());
}

std::string p_text(double p) { return p < 1e-12 ? std::string("p below 1e-12") : fmt::format("p = {:.2g}", p); }

struct Verdict {
  std::string verdict, because;
};

Verdict verdict_on(const PairedDifference& pairs, const std::string& first, const std::string& other) {
  const Difference difference(pairs.bits_per_byte);
  if (!difference.error) return {"Not to be told apart.", "It takes two documents with text."};
  if (difference.told_apart()) {
    const bool better = *difference.value < 0;
    return {fmt::format("{} is better.", better ? other : first),
            fmt::format("The 95 % interval does not hold 0 ({}, two-sided, by document).", p_text(difference.p()))};
  }
  std::string because = fmt::format("The 95 % interval holds 0 ({}, two-sided, by document).", p_text(difference.p()));
  const std::optional<double> deviation = pairs.bits_per_byte.standard_deviation();
  if (*difference.value != 0 && deviation) {
    constexpr double kPower = 0.8;
    because +=
        fmt::format(" If the difference is this one, {:.0f} documents like these would tell it in {:g} % of corpora.",
                    compare::documents_needed(*deviation, *difference.value, kPower), 100 * kPower);
  }
  return {"Not told apart.", because};
}

std::string percent_of(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? std::string("-")
                  : fmt::format("{:.1f} %", 100 * static_cast<double>(part) / static_cast<double>(all));
}

std::uint64_t documents_of(const PairedDifference& pairs) { return pairs.better + pairs.worse + pairs.same; }

std::string documents_text(std::uint64_t documents) {
  return fmt::format("{} document{}", show::grouped(documents), documents == 1 ? "" : "s");
}

list totals_of(const Comparisons& all, const Comparison& comparison) {
  const PairedDifference& pairs = comparison.overall;
  const std::uint64_t documents = documents_of(pairs);
  const std::optional<double> nats = pairs.nats_per_token.ratio();
  const std::optional<double> nats_error = pairs.nats_per_token.standard_error();
  list totals;
  totals.push_back(total(name_of(all.path), fixed(all.report.overall.bits_per_byte, 4), "bits a byte"));
  totals.push_back(total(name_of(comparison.path), fixed(comparison.report.overall.bits_per_byte, 4), "bits a byte"));
  totals.push_back(total("standard error", fixed(pairs.bits_per_byte.standard_error(), 5), "bits a byte, by document"));
  totals.push_back(total("documents improved", percent_of(pairs.better, documents),
                         fmt::format("{} of {}", show::grouped(pairs.better), show::grouped(documents))));
  totals.push_back(comparison.same_tokens ? total("in nats a token", signed_text(nats, 4),
                                                  nats_error ? fmt::format("+/- {:.5f}", *nats_error) : std::string())
                                          : total("in nats a token", "-", "tokens are others'"));
  totals.push_back(total("perplexity", perplexity_text(comparison.report.overall.perplexity),
                         fmt::format("{}: {}", name_of(all.path), perplexity_text(all.report.overall.perplexity))));
  return totals;
}

/// Where differences lie on a track from the least to the most of them, 0 among these, in percent.
class Scale {
 public:
  explicit Scale(const Comparison& comparison) {
    for (const auto& [name, pairs] : comparison.domains) {
      const Difference difference(pairs.bits_per_byte);
      least_ = std::min(least_, difference.low());
      most_ = std::max(most_, difference.high());
    }
  }
  double operator()(double value) const {
    return most_ == least_ ? 0 : 100 * std::clamp((value - least_) / (most_ - least_), 0.0, 1.0);
  }

 private:
  double least_ = 0;
  double most_ = 0;
};

std::string place(double percent) { return fmt::format("{:.2f}", percent); }

list difference_rows(const Comparison& comparison) {
  const Scale scale(comparison);
  list rows;
  for (const auto& [name, pairs] : comparison.domains) {
    const Difference difference(pairs.bits_per_byte);
    const double value = difference.value.value_or(0);
    const double left = scale(std::min(value, 0.0));
    data row = object({{"name", safe(name)},
                       {"side", value < 0 ? "better" : "worse"},
                       {"left", place(left)},
                       {"width", place(scale(std::max(value, 0.0)) - left)},
                       {"zero", place(scale(0))},
                       {"value", signed_text(difference.value, 4)},
                       {"documents", documents_text(documents_of(pairs))}});
    const double low = scale(difference.low());
    row.set("reach", difference.error ? object({{"left", place(low)}, {"span", place(scale(difference.high()) - low)}})
                                      : data(false));
    rows.push_back(row);
  }
  return rows;
}

data moved_panel(const char* title, const std::vector<compare::MovedDocument>& documents) {
  list rows;
  for (const compare::MovedDocument& each : documents) {
    rows.push_back(object({{"place", safe(each.line.empty() ? each.source : each.source + ":" + each.line)},
                           {"nats", fmt::format("{:+.2f}", each.nats)},
                           {"bits", fmt::format("{:+.4f}", each.bits_per_byte)}}));
  }
  data panel = object({{"title", title}});
  panel.set("none", data(documents.empty()));
  data some = object({});
  some.set("documents", rows);
  panel.set("some", documents.empty() ? data(false) : some);
  return panel;
}

std::string warning_of(const Comparisons& all, const Comparison& comparison) {
  const auto& first = all.report.subject.windows;
  const auto& other = comparison.report.subject.windows;
  if (first.protocol == other.protocol && first.context_length == other.context_length &&
      first.stride == other.stride) {
    return {};
  }
  const auto say = [](const auto& windows) {
    return fmt::format("protocol {}, contexts of up to {} tokens, windows advancing by {}", windows.protocol->name,
                       windows.context_length, windows.stride);
  };
  return fmt::format("Not scored alike: the first by {}; the other by {}.", say(first), say(other));
}

data comparison_data(const Comparisons& all, const Comparison& comparison) {
  const PairedDifference& pairs = comparison.overall;
  const Difference difference(pairs.bits_per_byte);
  const std::string first = name_of(all.path);
  const std::string other = name_of(comparison.path);
  const Verdict verdict = verdict_on(pairs, first, other);
  data made =
      object({{"first", first},
              {"other", other},
              {"difference", signed_text(difference.value, 4)},
              {"interval",
               difference.error
                   ? fmt::format("{:+.4f} to {:+.4f} in 95 % of corpora like this one, by {} documents",
                                 difference.low(), difference.high(), show::grouped(pairs.bits_per_byte.documents()))
                   : std::string("no interval: it takes two documents")},
              {"verdict", verdict.verdict},
              {"because", verdict.because}});
  const std::string warning = warning_of(all, comparison);
  made.set("warning", warning.empty() ? data(false) : data(warning));
  made.set("totals", totals_of(all, comparison));
  made.set("shares_title", fmt::format("{} improved, {} worsened, {} the same", show::grouped(pairs.better),
                                       show::grouped(pairs.worse), show::grouped(pairs.same)));
  made.set("shares", shares_chart(pairs.better, pairs.same, pairs.worse));
  made.set("domains", difference_rows(comparison));
  list moved;
  moved.push_back(moved_panel("Improved", comparison.improved));
  moved.push_back(moved_panel("Worsened", comparison.worsened));
  made.set("moved", moved);
  return made;
}

data facts_of(const std::filesystem::path& path, const report::EvaluationReport& report) {
  const report::EvaluationSubject& subject = report.subject;
  data made = object({});
  made.set(
      "facts",
      facts_list({{"report", path.string()},
                  {"protocol", std::string(subject.windows.protocol->name)},
                  {"context, stride", fmt::format("{}, {}", subject.windows.context_length, subject.windows.stride)},
                  {"weights hash", subject.weights_hash},
                  {"step", fmt::format("{}", subject.step)},
                  {"data fingerprint", subject.data_fingerprint},
                  {"tokenizer fingerprint", subject.tokenizer_fingerprint}}));
  return made;
}

/// Empty for two reports.
std::string spread_of(const Comparisons& all) {
  if (all.others.size() < 2 || !all.training_error || !all.corpus_error) return {};
  return fmt::format("{:.5f} bits a byte, +/- {:.5f} from training, +/- {:.5f} from the corpus.",
                     *all.mean_bits_per_byte, *all.training_error, *all.corpus_error);
}

}  // namespace

std::string render_comparison_page(const Comparisons& comparisons, const std::string& command) {
  data page;
  list sections;
  list reports;
  reports.push_back(facts_of(comparisons.path, comparisons.report));
  for (const Comparison& each : comparisons.others) {
    sections.push_back(comparison_data(comparisons, each));
    reports.push_back(facts_of(each.path, each.report));
  }
  page.set("title", fmt::format("{} compared", name_of(comparisons.path)));
  page.set("comparisons", sections);
  page.set("reports", reports);
  const std::string spread = spread_of(comparisons);
  page.set("spread", spread.empty() ? data(false) : data(spread));
  page.set("command", safe(command));
  return fill_in(kComparisonTemplate, page);
}

}  // namespace chainrule::pipeline::evaluate::page
