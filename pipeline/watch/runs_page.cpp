#include "pipeline/watch/runs_page.h"

#include <fmt/format.h>

#include <kainjow/mustache.hpp>

#include "pipeline/show/numbers.h"
#include "pipeline/show/page/page_values.h"
#include "pipeline/watch/render.h"
#include "pipeline/watch/runs_template.h"

namespace chainrule::pipeline::watch {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::list;
using show::page::object;
using show::page::safe;

double percent_done(const RunStatus& run) {
  const std::int64_t step = step_of(run).value_or(0);
  if (!run.last_step || step >= *run.last_step) return run.state == RunState::finished ? 100 : 0;
  return 100 * static_cast<double>(step) / static_cast<double>(*run.last_step);
}

const char* colour_of(RunState state) {
  if (state == RunState::finished) return "better";
  return state == RunState::damaged ? "worse" : "";
}

data row_of(const RunStatus& run, std::time_t now) {
  const RunCells cells = cells_of(run, now);
  data row = object({{"run", safe(cells.run)},
                     {"name", safe(run.folder.filename().string())},
                     {"state", safe(cells.state)},
                     {"state_name", name_of(run.state)},
                     {"colour", colour_of(run.state)},
                     {"step", cells.step},
                     {"loss", cells.loss},
                     {"rate", cells.rate},
                     {"checkpoint", cells.checkpoint},
                     {"sign_of_life", cells.sign_of_life},
                     {"width", fmt::format("{:.2f}", percent_done(run))}});
  row.set("remark", run.remark.empty() ? data(false) : data(safe(run.remark)));
  return row;
}

}  // namespace

std::string render_runs_page(const std::vector<RunStatus>& runs, std::time_t now, const std::string& command) {
  list totals;
  for (int i = 0; i < kRunStates; ++i) {
    const auto state = static_cast<RunState>(i);
    totals.push_back(show::page::total(name_of(state), show::grouped(count_of(runs, state)), ""));
  }
  list rows;
  for (const RunStatus& run : runs) rows.push_back(row_of(run, now));
  data page = object({{"title", fmt::format("{} run{}", show::grouped(runs.size()), runs.size() == 1 ? "" : "s")},
                      {"time", show::utc_text(now)},
                      {"command", safe(command)}});
  page.set("totals", totals);
  page.set("runs", rows);
  return show::page::fill_in(kRunsTemplate, page);
}

}  // namespace chainrule::pipeline::watch
