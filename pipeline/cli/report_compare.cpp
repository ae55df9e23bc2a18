// chainrule report compare | power.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/files/json_text.h"
#include "pipeline/cli/new_file.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/report.h"
#include "pipeline/evaluate/compare/compare_reports.h"
#include "pipeline/evaluate/compare/significance.h"
#include "pipeline/evaluate/page/comparison_page.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::cli {
namespace {

namespace compare = evaluate::compare;

void require_two(const std::vector<std::string>& reports) {
  if (reports.size() >= 2) return;
  throw failure::Error(failure::ExitCode::usage, "two reports or more are compared; only one is given");
}

}  // namespace

failure::ExitCode run_report_compare(const Arguments& arguments) {
  std::vector<std::string> reports;
  std::int64_t moved = 10;
  bool json = false;
  std::string page_path;
  CommandOptions options("chainrule report compare REPORT REPORT... [options]",
                         "Compares reports over the same texts with the first, document by document: paired "
                         "differences with errors clustered\nby document. Models of different tokenizers are compared "
                         "per byte. Exit code 65: the texts differ (it says where).");
  options.group("Reports").add_options()("report", po::value(&reports)->required()->value_name("REPORT..."),
                                         "report folders; the option's name may be left out");
  options.group("Output").add_options()("moved", po::value(&moved)->default_value(10)->value_name("N"),
                                        "how many documents that moved most are named")(
      "json", po::bool_switch(&json), "print JSON")("html", po::value(&page_path)->value_name("FILE"),
                                                    "also write them as a web page");
  options.allow_positional("report", CommandOptions::kAnyNumber);
  if (!options.parse(arguments)) return failure::ExitCode::done;
  require_two(reports);
  check_range("moved", moved, 0, 1000);
  std::optional<NewFile> page;
  if (options.given("html")) page.emplace("--html", page_path);
  const compare::Comparisons comparisons =
      compare::compare_reports({reports.begin(), reports.end()}, static_cast<std::size_t>(moved));
  run::print(json ? io::files::json_text(compare::to_json(comparisons), 2) + "\n" : compare::as_text(comparisons));
  if (page) page->write(evaluate::page::render_comparison_page(comparisons, command_text("report compare", arguments)));
  return failure::ExitCode::done;
}

failure::ExitCode run_report_power(const Arguments& arguments) {
  std::vector<std::string> reports;
  double difference = 0;
  double power = 0.8;
  CommandOptions options("chainrule report power REPORT REPORT --difference BITS [options]",
                         "How many documents like these it takes to tell a difference in bits per byte between two "
                         "models apart,\nat level 0.05, two-sided, paired by document.");
  options.group("Reports").add_options()("report", po::value(&reports)->required()->value_name("REPORT..."),
                                         "two report folders; the option's name may be left out");
  options.group("Test").add_options()("difference", po::value(&difference)->required()->value_name("BITS"),
                                      "true difference in bits per byte")(
      "power", po::value(&power)->default_value(0.8, "0.8")->value_name("P"),
      "in which share of corpora it is to be found");
  options.allow_positional("report", 2);
  if (!options.parse(arguments)) return failure::ExitCode::done;
  require_two(reports);
  if (!(difference > 0) || !std::isfinite(difference)) {
    throw failure::Error(failure::ExitCode::usage, "--difference must be above 0");
  }
  if (!(power > 0.05 && power < 1)) {
    throw failure::Error(failure::ExitCode::usage, "--power must be above 0.05 and below 1");
  }
  const auto comparisons = compare::compare_reports({reports.begin(), reports.end()}, 0);
  const evaluate::tally::RatioOfSums& observed = comparisons.others.front().overall.bits_per_byte;
  const std::optional<double> deviation = observed.standard_deviation();
  if (!deviation) {
    throw failure::Error(failure::ExitCode::bad_data, "the reports have fewer than two documents with text");
  }
  run::print(
      fmt::format("{} documents here: {:+.5f} bits/byte, +/- {:.5f}; a document's deviation is {:.5f}\n"
                  "{:.0f} documents tell {:g} bits/byte apart in {:g} % of corpora\n",
                  show::grouped(observed.documents()), *observed.ratio(), *observed.standard_error(), *deviation,
                  compare::documents_needed(*deviation, difference, power), difference, 100 * power));
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
