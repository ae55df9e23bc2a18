#pragma once
#include <string>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::comm {

/// MPI from start to end of the process; a command that works on several ranks makes one, once its options are parsed.
/// Without a launcher it is a job of one rank.
class Session {
 public:
  /// Starts MPI with MPI_THREAD_MULTIPLE and checks that it was provided. Throws Error internal.
  Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Ends MPI, unless an exception is on its way: ending MPI waits for ranks that may never come, so main's handler
  /// decides then between abort() and end(). Never throws.
  ~Session();

  const Communicator& world() const { return world_; }

  /// Ends every rank of the job at once with this exit code, for a failure that only this rank knows of.
  [[noreturn]] static void abort(int exit_code);

  /// Whether MPI has started and not ended.
  static bool running();
  /// Ends MPI; every rank must come here.
  static void end();

  /// "Open MPI 4.1.4" or the like.
  static std::string library_version();

 private:
  struct Started {
    Started();
    ~Started();
  };
  Started started_;
  Communicator world_;
};

/// The rank that the launcher gave this process (from its environment), before or without MPI; 0 when there is none.
int launched_rank();
/// Whether a launcher started this process; then its standard output may look like a terminal and be none.
bool launched();
/// Ranks the launcher started (from its environment); 1 when there is none.
int launched_size();

}  // namespace chainrule::pipeline::comm
