// Which batch job a process is in and how long it has, with schedulers' commands that the test has put on PATH.
#include "pipeline/job/batch_job.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "io/files/temporary_folder.h"
#include "pipeline/job/output_of.h"

namespace chainrule::tests {
namespace {

namespace fs = std::filesystem;
using pipeline::job::BatchJob;
using pipeline::job::this_batch_job;

class BatchJobTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_JOB_END_TIME", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID",
          "PBS_JOBID", "PBS_JOBNAME", "FLUX_JOB_ID", "LSB_JOBID", "LSB_JOBINDEX", "LSB_JOBNAME"}) {
      ::unsetenv(name);
    }
    path_ = std::getenv("PATH");
    ::setenv("PATH", (folder_.string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }
  /// A command that does this.
  void put(const std::string& name, const std::string& script) {
    std::ofstream(folder_ / name) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }

  io::files::TemporaryFolder temporary_;
  const fs::path& folder_ = temporary_.path();
  std::string path_;
};

TEST_F(BatchJobTest, None) {
  const BatchJob job = this_batch_job();
  EXPECT_EQ(job.scheduler, "");
  EXPECT_FALSE(job.seconds_left);
}

TEST_F(BatchJobTest, SlurmTellsTheEndOrIsAsked) {
  ::setenv("SLURM_JOB_ID", "4711", 1);
  ::setenv("SLURM_JOB_NAME", "pretrain", 1);
  put("squeue", "[ \"$*\" = '--noheader --jobs 4711 --format %L' ] && echo '1-02:03:04'");
  BatchJob job = this_batch_job();
  EXPECT_EQ(job.scheduler, "Slurm");
  EXPECT_EQ(job.id, "4711");
  EXPECT_EQ(job.name, "pretrain");
  EXPECT_EQ(job.seconds_left, 86400 + 2 * 3600 + 3 * 60 + 4);
  ::setenv("SLURM_JOB_END_TIME", std::to_string(std::time(nullptr) + 500).c_str(), 1);
  ::setenv("SLURM_ARRAY_JOB_ID", "4700", 1);
  ::setenv("SLURM_ARRAY_TASK_ID", "3", 1);
  job = this_batch_job();
  EXPECT_EQ(job.id, "4700_3");
  EXPECT_NEAR(job.seconds_left.value(), 500, 5);
}

TEST_F(BatchJobTest, WhatIsNoTimeIsNotKnown) {
  ::setenv("SLURM_JOB_ID", "1", 1);
  for (const char* said : {"UNLIMITED", "INVALID", "NOT_SET", ""}) {
    put("squeue", std::string("echo ") + said);
    EXPECT_FALSE(this_batch_job().seconds_left) << said;
  }
  put("squeue", "echo 5:00; exit 1");
  EXPECT_FALSE(this_batch_job().seconds_left) << "it failed";
}

TEST_F(BatchJobTest, OpenPbs) {
  ::setenv("PBS_JOBID", "12.server", 1);
  ::setenv("PBS_JOBNAME", "evaluate", 1);
  put("qstat",
      "[ \"$*\" = '-f 12.server' ] && printf 'Job Id: 12.server\\n    resources_used.walltime = 00:10:00\\n"
      "    Resource_List.select = 2\\n    Resource_List.walltime = 02:00:00\\n'");
  const BatchJob job = this_batch_job();
  EXPECT_EQ(job.scheduler, "OpenPBS");
  EXPECT_EQ(job.id, "12.server");
  EXPECT_EQ(job.seconds_left, 6600);
  put("qstat", "echo '    Resource_List.walltime = 00:30:00'");
  EXPECT_EQ(this_batch_job().seconds_left, 1800) << "it has only begun";
}

TEST_F(BatchJobTest, FluxAndLsf) {
  ::setenv("FLUX_JOB_ID", "f2xY", 1);
  put("flux", "[ \"$*\" = 'job timeleft' ] && echo 3599.5");
  EXPECT_EQ(this_batch_job().scheduler, "Flux");
  EXPECT_EQ(this_batch_job().seconds_left, 3599.5);
  ::unsetenv("FLUX_JOB_ID");
  ::setenv("LSB_JOBID", "88", 1);
  ::setenv("LSB_JOBINDEX", "4", 1);
  put("bjobs", "[ \"$*\" = '-noheader -o time_left 88' ] && echo '12:30 L'");
  const BatchJob job = this_batch_job();
  EXPECT_EQ(job.scheduler, "LSF");
  EXPECT_EQ(job.id, "88[4]");
  EXPECT_EQ(job.seconds_left, 45000);
}

TEST_F(BatchJobTest, CommandsThatAreAbsentOrHangAreGivenUp) {
  using pipeline::job::output_of;
  EXPECT_FALSE(output_of({"no-such-command"}, 5));
  EXPECT_EQ(output_of({"echo", "a b"}, 5), "a b\n");
  EXPECT_FALSE(output_of({"false"}, 5));
  const auto started = std::chrono::steady_clock::now();
  EXPECT_FALSE(output_of({"sleep", "100"}, 0.2));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
  std::string large(300'000, 'x');
  put("large", "head -c 300000 /dev/zero | tr '\\0' x");
  EXPECT_EQ(output_of({"large"}, 20), large) << "more than a pipe holds";
}

}  // namespace
}  // namespace chainrule::tests
