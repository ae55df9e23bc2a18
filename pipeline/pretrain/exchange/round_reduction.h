#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/arena.h"
#include "pipeline/pretrain/exchange/gradient_reduction.h"
#include "pipeline/pretrain/exchange/rounds.h"

namespace chainrule::pipeline::pretrain::exchange {

/// The reduction of ZeroStage::two: ranks add up after each micro-batch, so that of sums each keeps its own slices
/// alone. Arenas are whole in address space; in memory are, of the one that backward writes to, what has not been added
/// yet, and of those of the sums this rank's slices.
class RoundReduction final : public GradientReduction {
 public:
  /// rows: of the parameter with late rows.
  RoundReduction(const comm::Communicator& communicator, const Ownership& ownership, std::int64_t lanes,
                 model::shape::ParameterRange rows);

  void make_room(std::int64_t micro_batches) override;
  void plan(std::int64_t micro_batches) override;
  std::span<float> begin_pass(std::size_t pass) override;
  void end_pass(std::size_t) override {}
  void end_exchange() override;
  std::span<const float> gradients() const override { return slots_.front().span(); }

 private:
  void complete(model::shape::ParameterRange) override {}
  void combine(const std::vector<float*>& leaves, std::int64_t offset, model::shape::ParameterRange range) override;
  void finished(model::shape::ParameterRange bucket) override;
  RoundPlan plan_of(std::int64_t micro_batches) const { return {micro_batches, lanes_, communicator().size()}; }

  std::int64_t lanes_;
  RoundPlan plan_;
  std::size_t turn_ = 0;  // of the pass that was begun last
  model::Arena backward_;
  std::vector<model::Arena> slots_;
};

}  // namespace chainrule::pipeline::pretrain::exchange
