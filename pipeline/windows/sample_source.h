#pragma once
#include <cstdint>

#include "pipeline/windows/sample_order.h"
#include "pipeline/windows/windows.h"

namespace chainrule::pipeline::windows {

/// One training sample: a window of a stream.
struct Sample {
  const io::tokens::TokenStream* stream = nullptr;
  Window window;
  std::uint64_t epoch = 0;  ///< how often all of this stream had been taken before
};

/// Which samples a run trains on, without end. Sample n is a function of n: the number of samples consumed is the whole
/// state of the data pipeline, whoever reads them, in whatever order.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  /// Safe to call from several threads.
  virtual Sample sample(std::uint64_t n) const = 0;
};

/// The whole windows of one stream, each once an epoch, in another order each epoch and seed (see SampleOrder).
class PermutedWindows final : public SampleSource {
 public:
  /// windows has at least one whole window.
  PermutedWindows(const Windows& windows, std::uint64_t seed)
      : windows_(windows), order_(seed, windows.whole_count()) {}

  Sample sample(std::uint64_t n) const override {
    return {&windows_.stream(), windows_.at(order_.window_of(n)), order_.epoch_of(n)};
  }

 private:
  Windows windows_;
  SampleOrder order_;
};

}  // namespace chainrule::pipeline::windows
