#include "pipeline/comm/session.h"

#include <mpi.h>

#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "pipeline/comm/call.h"
#include "pipeline/comm/communicator_state.h"

namespace chainrule::pipeline::comm {
namespace {

constexpr std::initializer_list<const char*> kRankVariables = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                                               "SLURM_PROCID"};

int number_from_environment(std::initializer_list<const char*> names, int otherwise) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return std::atoi(value);
  }
  return otherwise;
}

}  // namespace

Session::Started::Started() {
  // A single process needs no launcher's daemon: an isolated singleton starts faster and without one.
  if (launched_size() == 1 && std::getenv("PMIX_RANK") == nullptr) setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  // Over TCP, Open MPI's put protocol leaves the line idle between messages whose receiver looks in now and then;
  // plain sends fill it (measured: 87 against 132 MB/s of 137).
  setenv("OMPI_MCA_btl_tcp_flags", "send", 0);
  int provided = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_MULTIPLE) throw std::runtime_error("this MPI library does not provide MPI_THREAD_MULTIPLE");
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

int launched_rank() { return number_from_environment(kRankVariables, 0); }

bool launched() { return number_from_environment(kRankVariables, -1) >= 0; }

int launched_size() { return number_from_environment({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"}, 1); }

}  // namespace chainrule::pipeline::comm
