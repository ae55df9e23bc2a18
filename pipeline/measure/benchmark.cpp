#include "pipeline/measure/benchmark.h"

#include <algorithm>
#include <memory>

#include "io/files/temporary_folder.h"
#include "io/tokens/data_set.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/measure/measures.h"
#include "pipeline/measure/synthetic_data.h"
#include "pipeline/run/threads.h"
#include "pipeline/windows/windows.h"

namespace chainrule::pipeline::measure {

BenchmarkResult run_benchmark(const comm::Communicator& communicator, const BenchmarkOptions& options) {
  BenchmarkResult result;
  result.ranks = communicator.size();
  result.threads = run::use_threads(communicator, options.threads);
  comm::agree_on_first(communicator, [&] { measure_tokenizing(options, result); });
  comm::agree(communicator, [&] { profile_ops(options, result); });
  comm::agree_on_first(communicator, [&] { measure_decoding(options, result); });

  // Enough windows for permuted reads to be what they are in training; every rank writes its own copy.
  std::unique_ptr<io::files::TemporaryFolder> folder;
  std::unique_ptr<io::tokens::TokenStream> data;
  comm::agree(communicator, [&] {
    folder = std::make_unique<io::files::TemporaryFolder>();
    const auto tokens = std::max<std::int64_t>(
        20'000'000, 2 * std::max(options.global_batch, std::int64_t{1}) * options.config.sequence_length);
    write_random_data_set(folder->path(), static_cast<std::uint32_t>(options.config.vocabulary_size),
                          static_cast<std::uint64_t>(tokens));
    data = std::make_unique<io::tokens::DataSet>(io::tokens::DataSet::open(folder->path()));
  });
  const windows::Windows windows(*data, options.config.sequence_length);
  comm::agree_on_first(communicator, [&] { measure_reading(options, *data, windows, result); });
  const comm::Communicator exchange = communicator.duplicate();
  measure_steps(communicator, exchange, options, windows, result);
  return result;
}

}  // namespace chainrule::pipeline::measure
