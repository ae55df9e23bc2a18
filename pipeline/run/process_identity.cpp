#include "pipeline/run/process_identity.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>

namespace chainrule::pipeline::run {
namespace {

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// What /proc says of a process; nothing where it hides it.
struct ProcessState {
  char state = '?';
  std::uint64_t started = 0;
};

ProcessState state_of(std::int64_t process) {
  const std::string line = first_line_of(fmt::format("/proc/{}/stat", process));
  const std::size_t name_end = line.rfind(')');  // a name may hold anything
  ProcessState state;
  if (name_end == std::string::npos) return state;
  std::istringstream fields(line.substr(name_end + 1));
  fields >> state.state;
  std::string field;
  constexpr int kBetween = 18;  // fields 4 to 21: see proc(5)
  for (int i = 0; i < kBetween; ++i) fields >> field;
  fields >> state.started;
  return state;
}

}  // namespace

std::uint64_t process_space() {
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) == 0 ? static_cast<std::uint64_t>(status.st_ino) : 0;
}

ProcessIdentity this_process() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return {host, first_line_of("/proc/sys/kernel/random/boot_id"), process_space(), ::getpid(),
          state_of(::getpid()).started};
}

Running is_running(const ProcessIdentity& process) {
  const ProcessIdentity here = this_process();
  const bool is_of_here =
      !here.boot.empty() && process.boot == here.boot && here.space != 0 && process.space == here.space;
  const auto number = static_cast<pid_t>(process.process);
  if (!is_of_here || number <= 0 || number != process.process) return Running::cannot_be_seen;
  if (::kill(number, 0) != 0 && errno == ESRCH) return Running::no;
  const ProcessState now = state_of(process.process);
  if (now.state == 'Z' || now.state == 'X') return Running::no;  // nobody has asked yet how it ended
  const bool is_another = now.started != 0 && process.started != 0 && now.started != process.started;
  return is_another ? Running::no : Running::yes;
}

}  // namespace chainrule::pipeline::run
