#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "pipeline/windows/mix_order.h"
#include "pipeline/windows/sample_source.h"

namespace chainrule::pipeline::windows {

/// The whole windows of several streams: which stream's turn it is says a MixOrder, and each has epochs and an order
/// (PermutedWindows) of its own.
class MixedWindows final : public SampleSource {
 public:
  /// A source for each weight of the order.
  MixedWindows(MixOrder order, std::vector<PermutedWindows> sources)
      : order_(std::move(order)), sources_(std::move(sources)) {}

  Sample sample(std::uint64_t n) const override {
    const Apportionment::Place place = order_.at(n);
    return sources_[place.source].sample(place.index);
  }

 private:
  MixOrder order_;
  std::vector<PermutedWindows> sources_;
};

}  // namespace chainrule::pipeline::windows
