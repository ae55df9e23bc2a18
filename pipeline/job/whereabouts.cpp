#include "pipeline/job/whereabouts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/job/filesystem.h"
#include "pipeline/job/number_list.h"
#include "pipeline/run/cores.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/show/legible.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::job {
namespace {

/// A rank's place, as it travels to rank 0: memory, then "host\nhardware threads".
std::vector<std::byte> place_of_this_rank() {
  utsname system{};
  ::uname(&system);
  const NodeMemory memory = node_memory();
  const std::string text = fmt::format("{}\n{}", system.nodename, run::cores_of_this_process().which);
  std::vector<std::byte> bytes(sizeof memory + text.size());
  std::memcpy(bytes.data(), &memory, sizeof memory);
  std::memcpy(bytes.data() + sizeof memory, text.data(), text.size());
  return bytes;
}

void add_rank(int rank, std::span<const std::byte> place, std::vector<Whereabouts::Node>& nodes) {
  NodeMemory memory;
  std::memcpy(&memory, place.data(), sizeof memory);
  const std::string_view text(reinterpret_cast<const char*>(place.data()) + sizeof memory,
                              place.size() - sizeof memory);
  const std::string_view host = text.substr(0, text.find('\n'));
  const std::string threads(text.substr(host.size() + 1));
  auto node = std::find_if(nodes.begin(), nodes.end(), [&](const auto& each) { return each.name == host; });
  if (node == nodes.end()) {
    nodes.push_back({std::string(host), {rank}, threads, memory});
    return;
  }
  node->ranks.push_back(rank);
  node->hardware_threads = number_list_of_both(node->hardware_threads, threads);
  node->memory.limit = std::min(node->memory.limit, memory.limit);
  node->memory.available = std::min(node->memory.available, memory.available);
}

/// "3.1 GiB", "512 MiB".
template <typename Bytes>
std::string size_text(Bytes count) {
  const auto bytes = static_cast<double>(count);
  return bytes < 0x1p30 ? fmt::format("{:.0f} MiB", bytes / 0x1p20) : fmt::format("{:.1f} GiB", bytes / 0x1p30);
}

/// "4 ranks of 3.1 GiB (parameters 512 MiB, gradients 1.9 GiB), and shared weights 2.0 GiB".
std::string arithmetic(const Whereabouts::Node& node, std::span<const Need> needs) {
  std::vector<std::string> own;
  std::vector<std::string> shared;
  std::int64_t bytes = 0;
  for (const Need& each : needs) {
    (each.once_a_node ? shared : own).push_back(fmt::format("{} {}", each.what, size_text(each.bytes)));
    bytes += each.once_a_node ? 0 : each.bytes;
  }
  std::string text = fmt::format("{} rank{} of {} ({})", node.ranks.size(), node.ranks.size() == 1 ? "" : "s",
                                 size_text(bytes), fmt::join(own, ", "));
  if (!shared.empty()) text += fmt::format(", and shared {}", fmt::join(shared, ", "));
  return text;
}

std::string memory_text(const Whereabouts::Node& node, std::span<const Need> needs) {
  return fmt::format("{} needs {}: {}; it has {}", node.name, size_text(bytes_on(node, needs)), arithmetic(node, needs),
                     size_text(node.memory.limit));
}

std::string job_text(const BatchJob& job) {
  if (job.scheduler.empty()) return "no batch job";
  std::string text = fmt::format("{} {}", job.scheduler, show::legible(job.id));
  if (!job.name.empty()) text += fmt::format(" ({})", show::legible(job.name));
  if (job.seconds_left) text += fmt::format(", {} left", show::clock_time(*job.seconds_left));
  return text;
}

}  // namespace

Whereabouts gather_whereabouts(const comm::Communicator& communicator, int threads_per_rank) {
  Whereabouts here;
  here.threads_per_rank = threads_per_rank;
  std::vector<std::byte> mine;
  comm::agree(communicator, [&] { mine = place_of_this_rank(); });
  int rank = 0;
  for (const auto& place : communicator.gather(mine)) add_rank(rank++, place, here.nodes);
  if (communicator.rank() == 0) here.job = this_batch_job();
  return here;
}

std::int64_t bytes_on(const Whereabouts::Node& node, std::span<const Need> needs) {
  std::int64_t bytes = 0;
  for (const Need& each : needs)
    bytes += each.bytes * (each.once_a_node ? 1 : static_cast<std::int64_t>(node.ranks.size()));
  return bytes;
}

void check_memory(const Whereabouts& here, std::span<const Need> needs) {
  for (const Whereabouts::Node& node : here.nodes) {
    if (node.memory.limit == 0 || static_cast<std::uint64_t>(bytes_on(node, needs)) <= node.memory.limit) continue;
    throw failure::Error(failure::ExitCode::out_of_memory, memory_text(node, needs));
  }
}

std::vector<std::string> advice(const Whereabouts& here, std::span<const Need> needs,
                                const std::filesystem::path& output) {
  std::vector<std::string> said;
  for (const Whereabouts::Node& node : here.nodes) {
    if (node.memory.limit == 0 || static_cast<std::uint64_t>(bytes_on(node, needs)) <= node.memory.available) continue;
    said.push_back(
        fmt::format("{}, of which {} are free now", memory_text(node, needs), size_text(node.memory.available)));
    break;
  }
  if (const FileSystem files = file_system_of(output); here.nodes.size() > 1 && files.of_this_node) {
    said.push_back(fmt::format("'{}' lies on {} of {}: other nodes do not see it, and it may go with the job",
                               output.string(), files.name, here.nodes.front().name));
  }
  return said;
}

std::string to_text(const Whereabouts& here, std::span<const Need> needs, const std::filesystem::path& output) {
  std::string text = fmt::format("job     {}\n", job_text(here.job));
  std::size_t ranks = 0;
  for (const Whereabouts::Node& node : here.nodes) ranks += node.ranks.size();
  text += fmt::format("ranks   {} x {} thread{} on {} node{}", ranks, here.threads_per_rank,
                      here.threads_per_rank == 1 ? "" : "s", here.nodes.size(), here.nodes.size() == 1 ? "" : "s");
  constexpr std::size_t kShown = 4;
  for (std::size_t i = 0; i < std::min(here.nodes.size(), kShown); ++i) {
    const Whereabouts::Node& node = here.nodes[i];
    text += fmt::format("{} {}: rank{} {} on processors {}", i == 0 ? ":" : ";", node.name,
                        node.ranks.size() == 1 ? "" : "s", number_list(node.ranks), node.hardware_threads);
  }
  if (here.nodes.size() > kShown) text += "; ...";
  text += fmt::format("\nmemory  {}\n", memory_text(*std::max_element(here.nodes.begin(), here.nodes.end(),
                                                                      [&](const auto& a, const auto& b) {
                                                                        return bytes_on(a, needs) < bytes_on(b, needs);
                                                                      }),
                                                    needs));
  const FileSystem files = file_system_of(output);
  if (!files.name.empty()) text += fmt::format("output  '{}' on {}\n", output.string(), files.name);
  return text;
}

void say_where(const Whereabouts& here, std::span<const Need> needs, const std::filesystem::path& output) {
  check_memory(here, needs);
  for (const std::string& each : advice(here, needs, output)) run::warn(each);
  if (!here.job.scheduler.empty() || here.nodes.size() > 1) run::say(to_text(here, needs, output));
}

void add_to(nlohmann::ordered_json& json, const Whereabouts& here) {
  json["job"] = nlohmann::ordered_json::object();
  if (!here.job.scheduler.empty()) {
    json["job"] = {{"scheduler", here.job.scheduler}, {"id", show::valid_utf8(here.job.id)}};
    if (here.job.seconds_left) json["job"]["seconds_left"] = *here.job.seconds_left;
  }
  for (nlohmann::ordered_json& host : json["hosts"]) {
    const auto node =
        std::find_if(here.nodes.begin(), here.nodes.end(), [&](const auto& each) { return host["name"] == each.name; });
    if (node == here.nodes.end()) continue;
    host["hardware_threads"] = node->hardware_threads;
    host["memory_bytes"] = node->memory.limit;
  }
}

}  // namespace chainrule::pipeline::job
