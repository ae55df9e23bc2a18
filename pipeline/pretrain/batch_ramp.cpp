#include "pipeline/pretrain/batch_ramp.h"

#include <fmt/format.h>

#include <charconv>

#include "io/quote.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain {

windows::BatchRamp parse_batch_ramp(const std::string& text) {
  windows::BatchRamp ramp;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto read = [&](std::int64_t& value, bool is_last) {
    const auto [stop, error] = std::from_chars(at, end, value);
    const bool is_number = error == std::errc() && stop != at;
    if (!is_number || (is_last ? stop != end : stop == end || *stop != ':')) {
      throw failure::Error(
          failure::ExitCode::usage,
          fmt::format("option '--batch-ramp' is {}: START:INCREMENT:SAMPLES is asked for, whole numbers",
                      io::in_quotes(text)));
    }
    at = is_last ? stop : stop + 1;
  };
  read(ramp.start, false);
  read(ramp.increment, false);
  read(ramp.samples, true);
  return ramp;
}

}  // namespace chainrule::pipeline::pretrain
