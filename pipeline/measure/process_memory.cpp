#include "pipeline/measure/process_memory.h"

#include <fstream>
#include <string>

namespace chainrule::pipeline::measure {

void reset_peak_memory() {
  std::ofstream file("/proc/self/clear_refs");  // proc(5): 5 resets the peak resident set
  file << "5";
}

std::int64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    std::int64_t kibibytes = 0;
    status >> kibibytes;
    return kibibytes * 1024;
  }
  return 0;
}

}  // namespace chainrule::pipeline::measure
