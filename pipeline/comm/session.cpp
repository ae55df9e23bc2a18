#include "pipeline/comm/session.h"

#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "pipeline/comm/call.h"
#include "pipeline/comm/communicator_state.h"
#include "pipeline/comm/own_temporary_files.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::comm {
namespace {

std::string_view from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

/// This process's place in a job, as its launcher tells it.
struct Launch {
  int rank = 0;
  int size = 1;
  bool by_launcher = false;
};

/// Believes a rank only where a launcher stands behind it: one that MPI can ask (a server's address, a descriptor). A
/// scheduler numbers its tasks too (SLURM_PROCID), and a rank's number outlives its job in what a script passes on.
Launch launch() {
  struct Launcher {
    const char* rank;
    const char* size;
    std::initializer_list<const char*> signs;  // one of them is there while the launcher is
  };
  static const Launcher launchers[] = {
      {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", {"PMIX_NAMESPACE", "OMPI_MCA_orte_hnp_uri"}},
      {"PMIX_RANK", "SLURM_STEP_NUM_TASKS", {"PMIX_NAMESPACE"}},
      {"PMI_RANK", "PMI_SIZE", {"PMI_FD", "PMI_PORT", "FLUX_JOB_ID"}},
  };
  for (const Launcher& each : launchers) {
    const auto there = [](const char* sign) { return !from_environment(sign).empty(); };
    if (from_environment(each.rank).empty() || std::none_of(each.signs.begin(), each.signs.end(), there)) continue;
    Launch found{.by_launcher = true};
    found.rank = std::atoi(std::string(from_environment(each.rank)).c_str());
    found.size = std::max(1, std::atoi(std::string(from_environment(each.size)).c_str()));
    return found;
  }
  return {};
}

/// One of several tasks that no launcher knows would do the whole job by itself, beside the others.
void refuse_rank_without_job() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (std::atoi(std::string(from_environment(name)).c_str()) <= 0) continue;
    throw failure::RankError(
        failure::ExitCode::usage,
        fmt::format("{} says that this is task {}, but no launcher of an MPI job answers: start it "
                    "with mpirun or srun --mpi=pmix",
                    name, from_environment(name)));
  }
}

/// srun that knows nothing of this MPI starts each task as a job of its own: also the first would do the whole work.
void refuse_tasks_without_job() {
  if (std::atoi(std::string(from_environment("SLURM_STEP_NUM_TASKS")).c_str()) <= 1) return;
  throw failure::RankError(
      failure::ExitCode::usage,
      fmt::format("srun has started {} tasks, each of which would do the whole work alone: start them with "
                  "srun --mpi=pmix (srun --mpi=list says what there is) or with mpirun",
                  from_environment("SLURM_STEP_NUM_TASKS")));
}

/// A launcher of another MPI, or of another version, starts ranks that do not find each other: so many, as it said
/// before MPI started, which may change the environment.
void refuse_ranks_apart(int started) {
  int size = 1;
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
  if (size > 1 || started == 1) return;
  throw failure::RankError(
      failure::ExitCode::usage,
      fmt::format("the launcher has started {} ranks, but this one finds no other, and would do the whole work "
                  "alone: mpirun or srun's PMIx does not belong to {}",
                  started, Session::library_version()));
}

/// Open MPI says in fifty lines, and its exit code in none, that its temporary folder is missing.
void check_temporary_folder() {
  for (const char* name : {"TMPDIR", "TEMP", "TMP"}) {
    const std::string folder(from_environment(name));
    if (folder.empty()) continue;
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return;
    throw failure::RankError(failure::ExitCode::usage, fmt::format("{} names '{}', where MPI cannot put its files: {}",
                                                                   name, folder, std::strerror(errno)));
  }
}

}  // namespace

Session::Started::Started() {
  check_temporary_folder();
  const int started = launched_size();
  std::optional<OwnTemporaryFiles> own;
  // A single process needs no launcher's daemon: an isolated singleton starts faster and without one.
  if (!launched()) {
    refuse_rank_without_job();
    refuse_tasks_without_job();
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    // Singletons of one user share a session folder and delete it under each other (seen: 8 of 600 starts failed).
    setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
    if (OMPI_MAJOR_VERSION >= 5) own.emplace();  // which always makes such folders
    // It has nobody to send to, and need not look for networks (measured: 0.08 instead of 0.29 s to start).
    setenv("OMPI_MCA_pml", "ob1", 0);
    setenv("OMPI_MCA_btl", "self", 0);
  }
  // Over TCP, Open MPI's put protocol leaves the line idle between messages whose receiver looks in now and then;
  // plain sends fill it (measured: 87 against 132 MB/s of 137).
  setenv("OMPI_MCA_btl_tcp_flags", "send", 0);
  int provided = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_MULTIPLE) throw std::runtime_error("this MPI library does not provide MPI_THREAD_MULTIPLE");
  refuse_ranks_apart(started);
}

Session::Started::~Started() {
  if (std::uncaught_exceptions() == 0) Session::end();
}

bool Session::running() {
  int started = 0;
  int ended = 0;
  MPI_Initialized(&started);
  MPI_Finalized(&ended);
  return started != 0 && ended == 0;
}

void Session::end() {
  if (running()) MPI_Finalize();
}

Session::Session() : world_(std::make_unique<Communicator::State>(MPI_COMM_WORLD)) {}
Session::~Session() = default;

void Session::abort(int exit_code) {
  // MPI_Abort comes back when the launcher has killed everybody, for which it may take its time.
  std::thread([exit_code] {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    std::_Exit(exit_code);
  }).detach();
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

std::string Session::library_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  check_mpi(MPI_Get_library_version(text, &length), "MPI_Get_library_version");
  const std::string whole(text, static_cast<std::size_t>(length));
  return whole.substr(0, whole.find(','));
}

int launched_rank() { return launch().rank; }

bool launched() { return launch().by_launcher; }

int launched_size() { return launch().size; }

}  // namespace chainrule::pipeline::comm
