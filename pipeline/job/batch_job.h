#pragma once
#include <optional>
#include <string>

namespace chainrule::pipeline::job {

/// The batch job in which this process runs.
struct BatchJob {
  std::string scheduler;               ///< "Slurm", "OpenPBS", "Flux", "LSF"; empty where there is none
  std::string id;                      ///< with its place in an array: "4711_3"
  std::string name;                    ///< empty where the scheduler tells none
  std::optional<double> seconds_left;  ///< until the scheduler ends it, where it says so
};

/// By the variables that schedulers set; what they do not tell is asked of their own commands (squeue, qstat, flux,
/// bjobs), for some seconds at the most. For one rank: it starts processes.
BatchJob this_batch_job();

}  // namespace chainrule::pipeline::job
