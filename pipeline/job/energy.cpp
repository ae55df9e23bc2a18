#include "pipeline/job/energy.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

namespace chainrule::pipeline::job {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> reading_of(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

}  // namespace

EnergyMeter::EnergyMeter(const fs::path& root) {
  const fs::path cray = root / "sys/cray/pm_counters/energy";
  if (reading_of(cray)) {
    add(cray, 1, 0);
  } else {
    std::error_code error;
    for (fs::directory_iterator at(root / "sys/class/powercap", error), end; !error && at != end; at.increment(error)) {
      // "intel-rapl:0" is a processor; "intel-rapl:0:1" is a part of it and "intel-rapl-mmio:0" the same once more.
      const std::string name = at->path().filename().string();
      if (!name.starts_with("intel-rapl:") || std::count(name.begin(), name.end(), ':') != 1) continue;
      add(at->path() / "energy_uj", 1e-6, reading_of(at->path() / "max_energy_range_uj").value_or(0));
    }
  }
  looked_at_ = std::chrono::steady_clock::now();
}

void EnergyMeter::add(const fs::path& file, double joules_per_unit, std::uint64_t range) {
  if (const auto now = reading_of(file)) counters_.push_back({file, joules_per_unit, range, *now});
}

void EnergyMeter::look() {
  if (counters_.empty() || std::chrono::steady_clock::now() - looked_at_ < std::chrono::seconds(10)) return;
  read();
}

std::optional<double> EnergyMeter::joules() {
  if (counters_.empty()) return std::nullopt;
  read();
  return joules_;
}

void EnergyMeter::read() {
  looked_at_ = std::chrono::steady_clock::now();
  for (Counter& counter : counters_) {
    const auto now = reading_of(counter.file);
    if (!now) continue;
    // A counter that is below what it was has begun again: behind its range, or (none is known) with the node.
    const std::uint64_t before = *now >= counter.last ? counter.last : 0;
    const std::uint64_t wrapped =
        *now < counter.last && counter.range > counter.last ? counter.range - counter.last : 0;
    const std::uint64_t whole = *now - before + wrapped;
    joules_ += counter.joules_per_unit * static_cast<double>(whole);
    counter.last = *now;
  }
}

}  // namespace chainrule::pipeline::job
