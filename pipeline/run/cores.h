#pragma once
#include <string>

namespace chainrule::pipeline::run {

/// What a process may run on. A core runs one or more hardware threads.
struct Cores {
  int cores = 1;                  ///< physical ones, of which it may use at least one hardware thread
  int hardware_threads = 1;       ///< that it may use
  int host_hardware_threads = 1;  ///< of the host, or of the part of it that this job has
  std::string which;              ///< the hardware threads it may use, as a list: "0-3,8"
};

/// The calling thread's, by hwloc. Throws std::runtime_error where the system says nothing of its processors.
Cores cores_of_this_process();

}  // namespace chainrule::pipeline::run
