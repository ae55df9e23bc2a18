#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace chainrule::pipeline::watch {

/// A batch job, as jobs/submit.sh and the program itself name it.
struct Job {
  std::string scheduler;  ///< "slurm", "Slurm" ...
  std::string id;
};

/// What jobs/submit.sh left beside a run, in RUN.job.
struct SubmittedJobs {
  bool any = false;            ///< jobs were submitted
  std::optional<Job> waiting;  ///< the first of the last submission's that has not ended
  std::string last_end;        ///< "job 30 ended with 65": of the last job that came to an end; may be empty
};

/// RUN.job
std::filesystem::path job_folder_of(const std::filesystem::path& run);

/// Whether a folder RUN.job is of a pretraining run. Throws io::Error.
bool holds_pretraining(const std::filesystem::path& job_folder);

/// By the files alone: no scheduler is asked, so a job that was cancelled before it began is still one that waits.
/// Throws io::Error.
SubmittedJobs read_submitted_jobs(const std::filesystem::path& job_folder);

}  // namespace chainrule::pipeline::watch
