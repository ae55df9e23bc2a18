#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/arena.h"
#include "pipeline/pretrain/exchange/gradient_reduction.h"
#include "pipeline/pretrain/exchange/lanes.h"

namespace chainrule::pipeline::pretrain::exchange {

/// The reduction of ZeroStage::one: this rank accumulates its lanes in whole arenas, up to log2(lanes / ranks) + 1 of
/// them where ranks are a power of two, and ranks add what is left once a step.
class LaneReduction final : public GradientReduction {
 public:
  LaneReduction(const comm::Communicator& communicator, const Ownership& ownership, std::int64_t lanes);

  void make_room(std::int64_t micro_batches) override;
  void plan(std::int64_t micro_batches) override;
  std::span<float> begin_pass(std::size_t pass) override;
  void end_pass(std::size_t pass) override;
  std::span<const float> gradients() const override { return arenas_.front().span(); }

 private:
  void complete(model::shape::ParameterRange range) override;
  void combine(const std::vector<float*>& leaves, std::int64_t offset, model::shape::ParameterRange range) override;
  void finished(model::shape::ParameterRange) override {}
  LanePlan plan_of(std::int64_t micro_batches) const { return {micro_batches, lanes_, communicator().size()}; }
  model::Arena& arena(std::int64_t index) { return arenas_[static_cast<std::size_t>(index)]; }
  void merge(const Merge& merge, model::shape::ParameterRange range);

  std::int64_t lanes_;
  RankPlan mine_;
  CombinePlan combine_;
  std::vector<std::size_t> lane_of_;  // of each pass
  std::vector<model::Arena> arenas_;
};

}  // namespace chainrule::pipeline::pretrain::exchange
