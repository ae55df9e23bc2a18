#include "pipeline/evaluate/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/failure/error.h"

namespace chainrule::pipeline::evaluate {

void require_protocol_of(const writers::Formats& write, const windows::protocol::Protocol& protocol) {
  if (!write.lm_eval || &protocol == &windows::protocol::kLmEval) return;
  throw failure::Error(
      failure::ExitCode::usage,
      fmt::format("--write {} is of protocol {}, whose numbers lm-eval's keys name; this is protocol {}",
                  writers::kLmEvalFormat, windows::protocol::kLmEval.name, protocol.name));
}

windows::WorkUnitOptions resolve(const EvaluateOptions& options, std::int64_t model_context_length) {
  windows::WorkUnitOptions units;
  windows::protocol::ScoringOptions& windows = units.windows;
  windows.protocol = options.protocol;
  const std::int64_t usual = options.protocol->usual_context_length;
  windows.context_length = options.context_length != 0 ? options.context_length
                           : usual != 0                ? std::min(usual, model_context_length)
                                                       : model_context_length;
  if (windows.context_length > model_context_length) {
    throw failure::Error(failure::ExitCode::usage, fmt::format("--context-length {} is longer than the model's {}",
                                                               windows.context_length, model_context_length));
  }
  if (windows.context_length < options.protocol->shortest_context_length) {
    throw failure::Error(
        failure::ExitCode::usage,
        fmt::format("--context-length {} is shorter than the {} that protocol {} needs", windows.context_length,
                    options.protocol->shortest_context_length, options.protocol->name));
  }
  const bool chosen = options.stride != 0 && options.protocol->fixed_stride.empty();
  windows.stride = chosen ? options.stride : options.protocol->default_stride(windows.context_length);
  if (windows.stride > windows.context_length) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--stride {} is longer than the context length {}: tokens would be left "
                                     "out",
                                     windows.stride, windows.context_length));
  }
  units.micro_batch =
      options.micro_batch != 0 ? options.micro_batch : windows::default_micro_batch(windows.context_length);
  if (units.micro_batch > windows::kMostUnitRows / windows.context_length) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--micro-batch {} at context length {} is more than {} tokens at once",
                                     units.micro_batch, windows.context_length, windows::kMostUnitRows));
  }
  return units;
}

}  // namespace chainrule::pipeline::evaluate
