#include "pipeline/pretrain/validation.h"

#include <algorithm>
#include <vector>

#include "model/round_up.h"

namespace chainrule::pipeline::pretrain {

comm::ExactSum validate_model(const comm::Communicator& communicator, model::decoder::Decoder& decoder,
                              std::span<const float> parameters, const windows::Windows& windows,
                              std::int64_t micro_batch) {
  const std::int64_t length = decoder.config().sequence_length;
  const auto rows = static_cast<std::size_t>(micro_batch * length);
  std::vector<std::uint32_t> inputs(rows);
  std::vector<std::uint32_t> targets(rows);
  std::vector<double> nll(rows);
  std::vector<model::ops::Sequence> sequences;
  for (std::int64_t i = 0; i < micro_batch; ++i) sequences.push_back({i * length, length});

  comm::ExactSum sum;
  const auto count = static_cast<std::int64_t>(windows.count());
  const std::int64_t batches = model::divide_up(count, micro_batch);
  for (std::int64_t batch = communicator.rank(); batch < batches; batch += communicator.size()) {
    // Windows that the last batch lacks keep the shape: any tokens, none of them scored.
    std::fill(targets.begin(), targets.end(), model::ops::kNotScored);
    const std::int64_t first = batch * micro_batch;
    for (std::int64_t i = 0; i < std::min(micro_batch, count - first); ++i) {
      const auto row = static_cast<std::size_t>(i * length);
      windows.read(static_cast<std::uint64_t>(first + i),
                   std::span(inputs).subspan(row, static_cast<std::size_t>(length)),
                   std::span(targets).subspan(row, static_cast<std::size_t>(length)));
    }
    decoder.score(parameters, {inputs, targets, sequences}, nll);
    for (std::size_t i = 0; i < rows; ++i) {
      if (targets[i] != model::ops::kNotScored) sum.add(nll[i]);
    }
  }
  return comm::sum_over_ranks(communicator, sum);
}

}  // namespace chainrule::pipeline::pretrain
