#include "pipeline/job/account.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::job {
namespace {

/// Whether no lower rank runs on this rank's node. Collective.
bool first_of_its_node(const comm::Communicator& communicator) {
  utsname system{};
  ::uname(&system);
  const auto mine = std::as_bytes(std::span(system.nodename, std::strlen(system.nodename)));
  int rank = 0;
  for (const auto& name : communicator.all_gather(mine)) {
    if (std::equal(name.begin(), name.end(), mine.begin(), mine.end())) break;
    ++rank;
  }
  return rank == communicator.rank();
}

double tokens_per_core_hour(const Cost& cost) {
  return cost.core_hours > 0 ? static_cast<double>(cost.tokens) / cost.core_hours : 0;
}

}  // namespace

Account::Account(const comm::Communicator& communicator, int threads_per_rank)
    : communicator_(communicator), threads_per_rank_(threads_per_rank), started_(std::chrono::steady_clock::now()) {
  if (first_of_its_node(communicator)) meter_.emplace();
}

void Account::look() {
  if (meter_) meter_->look();
}

std::optional<double> Account::node_joules() {
  if (!meter_) return std::nullopt;
  return meter_->joules().value_or(-1);
}

Cost Account::cost(std::uint64_t tokens) {
  Cost cost;
  cost.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  cost.core_hours = cost.seconds / 3600 * communicator_.size() * threads_per_rank_;
  cost.tokens = tokens;
  std::vector<std::byte> mine;  // a number where this rank has a meter: below 0 where that cannot be read
  if (const std::optional<double> joules = node_joules()) {
    mine.resize(sizeof *joules);
    std::memcpy(mine.data(), &*joules, sizeof *joules);
  }
  double sum = 0;
  bool all = true;
  for (const auto& bytes : communicator_.gather(mine)) {
    if (bytes.empty()) continue;
    double joules = 0;
    std::memcpy(&joules, bytes.data(), sizeof joules);
    all = all && joules >= 0;
    sum += joules;
  }
  if (all && communicator_.rank() == 0) cost.joules = sum;
  return cost;
}

std::string to_text(const Cost& cost) {
  const double cores = cost.seconds > 0 ? cost.core_hours / cost.seconds * 3600 : 0;
  std::string text = fmt::format("{} on {:.0f} core{}: {:.3g} core-hours", show::clock_time(cost.seconds), cores,
                                 cores < 1.5 ? "" : "s", cost.core_hours);
  if (cost.tokens != 0) text += fmt::format(", {} tokens a core-hour", show::scaled(tokens_per_core_hour(cost)));
  if (cost.joules) {
    text += fmt::format(", {}J", show::scaled(*cost.joules));
    if (cost.tokens != 0) text += fmt::format(" ({:.3g} J a token)", *cost.joules / static_cast<double>(cost.tokens));
  }
  return text;
}

void add_to(nlohmann::ordered_json& json, const Cost& cost) {
  json["core_hours"] = cost.core_hours;
  json["tokens_per_core_hour"] = tokens_per_core_hour(cost);
  if (cost.joules) json["joules"] = *cost.joules;
}

}  // namespace chainrule::pipeline::job
