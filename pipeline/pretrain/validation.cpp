#include "pipeline/pretrain/validation.h"

#include <cmath>
#include <vector>

#include "model/round_up.h"
#include "pipeline/windows/batch_buffer.h"

namespace chainrule::pipeline::pretrain {
namespace {

double mean_of(const comm::ExactSum& nll) {
  return nll.nonfinite() == 0 ? nll.nats() / static_cast<double>(nll.count()) : NAN;
}

}  // namespace

comm::ExactSum validate_model(const comm::Communicator& communicator, model::decoder::Decoder& decoder,
                              std::span<const float> parameters, const windows::Windows& windows,
                              std::int64_t micro_batch) {
  const std::int64_t length = decoder.config().sequence_length;
  const io::tokens::TokenStream& stream = windows.stream();
  windows::BatchBuffer buffer;
  std::vector<double> nll(static_cast<std::size_t>(micro_batch * length));
  comm::ExactSum sum;
  const auto count = static_cast<std::int64_t>(windows.count());
  const std::int64_t batches = model::divide_up(count, micro_batch);
  for (std::int64_t batch = communicator.rank(); batch < batches; batch += communicator.size()) {
    buffer.begin(micro_batch * length, stream.start_token());
    for (std::int64_t window = batch * micro_batch; window < (batch + 1) * micro_batch; ++window) {
      if (window < count) {
        buffer.add(stream, windows.at(static_cast<std::uint64_t>(window)), length);
      } else {
        buffer.add_padding(length);  // windows that the last batch lacks keep its shape
      }
    }
    const model::ops::Batch filled = buffer.batch();
    decoder.score(parameters, filled, nll);
    for (std::size_t i = 0; i < nll.size(); ++i) {
      if (filled.targets[i] != model::ops::kNotScored) sum.add(nll[i]);
    }
  }
  return comm::sum_over_ranks(communicator, sum);
}

ValidationLoss validate_sets(const comm::Communicator& communicator, model::decoder::Decoder& decoder,
                             std::span<const float> parameters, std::span<const ValidationSet> sets,
                             std::int64_t micro_batch) {
  ValidationLoss loss;
  comm::ExactSum all;
  for (const ValidationSet& set : sets) {
    const comm::ExactSum nll = validate_model(communicator, decoder, parameters, set.windows, micro_batch);
    if (!set.name.empty()) loss.named.emplace_back(set.name, mean_of(nll));
    all.merge(nll);
  }
  loss.nats = mean_of(all);
  return loss;
}

}  // namespace chainrule::pipeline::pretrain
