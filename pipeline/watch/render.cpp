#include "pipeline/watch/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "io/quote.h"
#include "pipeline/show/legible.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::watch {
namespace {

std::string number_text(const std::optional<std::int64_t>& number) {
  return number ? show::grouped(static_cast<std::uint64_t>(*number)) : std::string("-");
}

/// 0 for what a clock of another machine put into the future.
std::int64_t age_of(std::time_t time, std::time_t now) { return std::max<std::int64_t>(0, now - time); }

std::string age_text(std::int64_t seconds) {
  if (seconds < 120) return fmt::format("{} s ago", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min ago", seconds / 60);
  if (seconds < 2 * 86'400) return fmt::format("{} h ago", seconds / 3600);
  return fmt::format("{} days ago", seconds / 86'400);
}

std::string loss_text(const RunStatus& status) {
  if (!status.metrics) return "-";
  return std::isfinite(status.metrics->loss_nats) ? fmt::format("{:.4f}", status.metrics->loss_nats) : "not finite";
}

std::string step_text(const RunStatus& status) {
  const std::optional<std::int64_t> step = step_of(status);
  if (!status.last_step) return number_text(step);
  return fmt::format("{} of {}", number_text(step.value_or(0)), number_text(status.last_step));
}

using Columns = std::array<std::string, 7>;

Columns columns_of(const RunCells& cells) {
  return {cells.run, cells.state, cells.step, cells.loss, cells.rate, cells.checkpoint, cells.sign_of_life};
}

std::string line_of(const Columns& columns, const std::array<std::size_t, 7>& widths) {
  std::string line;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string blanks(widths[i] - show::columns_of(columns[i]), ' ');
    const bool number = i >= 2;
    line += (i == 0 ? "" : "  ") + (number ? blanks + columns[i] : columns[i] + blanks);
  }
  return line + '\n';
}

nlohmann::ordered_json to_json(const RunStatus& run, std::time_t now) {
  nlohmann::ordered_json json;
  json["run"] = run.folder.string();
  json["state"] = name_of(run.state);
  if (!run.remark.empty()) json["remark"] = run.remark;
  if (!run.holder.empty()) json["held_by"] = run.holder;
  if (run.job) json["job"] = {{"scheduler", run.job->scheduler}, {"id", run.job->id}};
  if (const auto step = step_of(run)) json["step"] = *step;
  if (run.last_step) json["last_step"] = *run.last_step;
  if (run.checkpoint) json["checkpoint"] = *run.checkpoint;
  if (run.metrics) {
    json["loss"] = run.metrics->loss_nats;
    if (run.metrics->tokens_per_second) json["tokens_per_second"] = *run.metrics->tokens_per_second;
  }
  if (run.sign_of_life) {
    json["last_sign_of_life"] = show::utc_text(*run.sign_of_life);
    json["seconds_since"] = age_of(*run.sign_of_life, now);
  }
  return json;
}

}  // namespace

std::size_t count_of(const std::vector<RunStatus>& runs, RunState state) {
  return static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(), [&](const RunStatus& run) { return run.state == state; }));
}

RunCells cells_of(const RunStatus& status, std::time_t now) {
  const bool rate = status.metrics && status.metrics->tokens_per_second;
  return {io::on_one_line(status.folder.string()),
          state_text(status),
          step_text(status),
          loss_text(status),
          rate ? fmt::format("{:.0f}", *status.metrics->tokens_per_second) : std::string("-"),
          number_text(status.checkpoint),
          status.sign_of_life ? age_text(age_of(*status.sign_of_life, now)) : std::string("-")};
}

std::string as_text(const std::vector<RunStatus>& runs, std::time_t now) {
  if (runs.empty()) return "there are no runs\n";
  std::vector<Columns> rows = {{"run", "state", "step", "loss", "tokens/s", "checkpoint", "sign of life"}};
  for (const RunStatus& run : runs) rows.push_back(columns_of(cells_of(run, now)));
  std::array<std::size_t, 7> widths{};
  for (const Columns& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], show::columns_of(row[i]));
  }
  std::string text = line_of(rows.front(), widths);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    text += line_of(rows[i + 1], widths);
    if (!runs[i].remark.empty()) text += "    " + runs[i].remark + '\n';
  }
  return text;
}

nlohmann::ordered_json to_json(const std::vector<RunStatus>& runs, std::time_t now) {
  nlohmann::ordered_json json;
  json["time"] = show::utc_text(now);
  json["runs"] = nlohmann::ordered_json::array();
  for (const RunStatus& run : runs) json["runs"].push_back(to_json(run, now));
  return json;
}

}  // namespace chainrule::pipeline::watch
