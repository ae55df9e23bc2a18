#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "model/ops/ops.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/failure/exit_code.h"

namespace chainrule::pipeline::evaluate::requests {

/// What a person asks of `evaluate --requests`.
struct RequestOptions {
  std::filesystem::path model;      ///< a checkpoint or a run directory
  std::filesystem::path requests;   ///< a file (see RequestFile)
  std::filesystem::path output;     ///< file to be made: a line an answer, in the requests' order
  double time_limit_seconds = 0;    ///< stop in time for it, counted from the program's start; 0: none
  bool allow_nonfinite = false;     ///< answers that are not finite are no failure
  std::int64_t context_length = 0;  ///< tokens; 0: the model's
  model::products::Math math = model::products::Math::float32;
  int threads = 0;  ///< of each rank; 0: see use_threads()
};

/// Answers every request: checks all of them first, scores, and on rank 0 writes the answers. What is scored lies in
/// OUTPUT.journal until then, so that a run that was stopped or killed is gone on with. program: as for evaluate().
/// Returns done, or stopped_early where it was asked to stop. Throws AgreedError for what is found before scoring, the
/// first bad line named whatever the number of ranks; bad_data, after the answers are written, where some are not
/// finite. Collective.
failure::ExitCode evaluate_requests(const comm::Communicator& communicator, const RequestOptions& options,
                                    const std::string& program);

}  // namespace chainrule::pipeline::evaluate::requests
