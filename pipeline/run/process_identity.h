#pragma once
#include <cstdint>
#include <string>

namespace chainrule::pipeline::run {

/// Which process, among all that ever ran: for whoever finds what it left behind and asks whether it still runs.
struct ProcessIdentity {
  std::string host;
  std::string boot;           ///< the kernel's name of its time since boot, nobody else's; empty where it tells none
  std::uint64_t space = 0;    ///< the namespace that the number is of; 0 where that cannot be seen
  std::int64_t process = 0;   ///< its number
  std::uint64_t started = 0;  ///< clock ticks after boot; 0 where that cannot be seen
};

ProcessIdentity this_process();

/// The namespace that process numbers are of here; 0 where that cannot be seen.
std::uint64_t process_space();

/// cannot_be_seen: of another host, or of a container whose processes have other numbers.
enum class Running { yes, no, cannot_be_seen };
Running is_running(const ProcessIdentity& process);

}  // namespace chainrule::pipeline::run
