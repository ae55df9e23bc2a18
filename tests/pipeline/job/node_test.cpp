// What a node tells of memory, energy and file systems, and what is made of it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/files/temporary_folder.h"
#include "pipeline/failure/error.h"
#include "pipeline/job/account.h"
#include "pipeline/job/energy.h"
#include "pipeline/job/filesystem.h"
#include "pipeline/job/memory.h"
#include "pipeline/job/whereabouts.h"

namespace chainrule::tests {
namespace {

namespace fs = std::filesystem;
namespace job = pipeline::job;

/// A folder in the place of the root.
class NodeTest : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  io::files::TemporaryFolder temporary_;
  const fs::path& root_ = temporary_.path();
};

TEST_F(NodeTest, MemoryOfTheNode) {
  EXPECT_EQ(job::node_memory(root_).limit, 0u) << "nothing is known";
  put("proc/meminfo", "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n");
  EXPECT_EQ(job::node_memory(root_).limit, 1'024'000u);
  EXPECT_EQ(job::node_memory(root_).available, 409'600u);
  EXPECT_GT(job::node_memory().limit, 0u) << "of this machine";
}

TEST_F(NodeTest, MemoryOfAControlGroup) {
  put("proc/meminfo", "MemTotal:       1000 kB\nMemAvailable:    400 kB\n");
  put("proc/self/cgroup", "0::/slurm/job_7/step_0\n");
  put("sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
  put("sys/fs/cgroup/slurm/job_7/memory.max", "300000\n");
  put("sys/fs/cgroup/slurm/memory.max", "900000\n");
  EXPECT_EQ(job::node_memory(root_).limit, 300'000u) << "of a group above";
  EXPECT_EQ(job::node_memory(root_).available, 300'000u);
  put("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/uid_1/job_7\n0::/\n");
  put("sys/fs/cgroup/memory/uid_1/job_7/memory.limit_in_bytes", "200000\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(job::node_memory(root_).limit, 200'000u);
}

TEST_F(NodeTest, EnergyOfItsProcessors) {
  EXPECT_FALSE(job::EnergyMeter(root_).joules()) << "no counter";
  for (const char* name : {"intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0", "intel-rapl-mmio:0"}) {
    put(std::string("sys/class/powercap/") + name + "/energy_uj", "5000000\n");
    put(std::string("sys/class/powercap/") + name + "/max_energy_range_uj", "6000000\n");
  }
  job::EnergyMeter meter(root_);
  put("sys/class/powercap/intel-rapl:0/energy_uj", "5500000\n");
  EXPECT_DOUBLE_EQ(meter.joules().value(), 0.5);
  put("sys/class/powercap/intel-rapl:1/energy_uj", "250000\n");  // 1 J to its range, and a quarter
  put("sys/class/powercap/intel-rapl:0:0/energy_uj", "5900000\n");
  put("sys/class/powercap/intel-rapl-mmio:0/energy_uj", "5900000\n");
  EXPECT_DOUBLE_EQ(meter.joules().value(), 1.75);
  put("sys/cray/pm_counters/energy", "1000 J\n");
  job::EnergyMeter cray(root_);
  put("sys/cray/pm_counters/energy", "1123 J\n");
  EXPECT_DOUBLE_EQ(cray.joules().value(), 123);
}

TEST_F(NodeTest, FileSystems) {
  EXPECT_EQ(job::file_system_by_number(0xEF53).name, "ext4");
  EXPECT_TRUE(job::file_system_by_number(0xEF53).of_this_node);
  EXPECT_EQ(job::file_system_by_number(0x0BD00BD0).name, "lustre");
  EXPECT_FALSE(job::file_system_by_number(0x0BD00BD0).of_this_node);
  EXPECT_EQ(job::file_system_by_number(-11317950).name, "cifs") << "0xFF534D42, where a long has 32 bits";
  EXPECT_EQ(job::file_system_by_number(0x1234).name, "0x1234");
  EXPECT_EQ(job::file_system_of("/proc/self").name, "0x9fa0");
  EXPECT_EQ(job::file_system_of(root_ / "is/not/there").name, job::file_system_of(testing::TempDir()).name);
}

job::Whereabouts two_nodes() {
  job::Whereabouts here;
  here.job = {"Slurm", "4711", "pretrain", 7200};
  here.threads_per_rank = 8;
  here.nodes = {{"n1", {0, 1}, "0-15", {std::uint64_t{4} << 30, std::uint64_t{3} << 30}},
                {"n2", {2}, "0-7", {std::uint64_t{4} << 30, std::uint64_t{3} << 30}}};
  return here;
}

TEST_F(NodeTest, WhatIsSaid) {
  const std::vector<job::Need> needs = {{"parameters", 1 << 29}, {"weights", 1 << 30, true}};
  EXPECT_EQ(job::bytes_on(two_nodes().nodes[0], needs), std::int64_t{2} << 30);
  const std::string text = job::to_text(two_nodes(), needs, "/proc/x");
  EXPECT_EQ(
      text,
      "job     Slurm 4711 (pretrain), 2:00:00 left\n"
      "ranks   3 x 8 threads on 2 nodes: n1: ranks 0-1 on processors 0-15; n2: rank 2 on processors 0-7\n"
      "memory  n1 needs 2.0 GiB: 2 ranks of 512 MiB (parameters 512 MiB), and shared weights 1.0 GiB; it has 4.0 GiB\n"
      "output  '/proc/x' on 0x9fa0\n");
  EXPECT_TRUE(job::advice(two_nodes(), needs, "/proc/x").empty());
  nlohmann::ordered_json json = {{"hosts", {{{"name", "n1"}, {"ranks", 2}}, {{"name", "n2"}, {"ranks", 1}}}}};
  job::add_to(json, two_nodes());
  EXPECT_EQ(json["job"]["id"], "4711");
  EXPECT_EQ(json["hosts"][1]["hardware_threads"], "0-7");
  EXPECT_EQ(json["hosts"][0]["memory_bytes"], std::uint64_t{4} << 30);
}

TEST_F(NodeTest, TooLittleMemory) {
  const job::Whereabouts here = two_nodes();
  const auto of = [](std::int64_t gibibytes) { return std::vector<job::Need>{{"parameters", gibibytes << 29}}; };
  EXPECT_NO_THROW(job::check_memory(here, of(4)));
  try {
    job::check_memory(here, of(5));
    FAIL() << "5 GiB on a node of 4";
  } catch (const pipeline::failure::Error& error) {
    EXPECT_EQ(error.code(), pipeline::failure::ExitCode::out_of_memory);
    EXPECT_STREQ(error.what(), "n1 needs 5.0 GiB: 2 ranks of 2.5 GiB (parameters 2.5 GiB); it has 4.0 GiB");
  }
  EXPECT_TRUE(job::advice(here, of(3), "/proc/x").empty());
  ASSERT_EQ(job::advice(here, of(4), "/proc/x").size(), 1u);
  EXPECT_NE(job::advice(here, of(4), "/proc/x")[0].find("of which 3.0 GiB are free now"), std::string::npos);
}

TEST_F(NodeTest, CostInALine) {
  const job::Cost cost{7200, 32, 64'000'000, 3.2e6};
  EXPECT_EQ(job::to_text(cost), "2:00:00 on 16 cores: 32 core-hours, 2.0M tokens a core-hour, 3.2MJ (0.05 J a token)");
  EXPECT_EQ(job::to_text({36, 0.01, 0, {}}), "0:36 on 1 core: 0.01 core-hours");
}

}  // namespace
}  // namespace chainrule::tests
