#include "pipeline/pretrain/lane_reduction.h"

#include <algorithm>
#include <cstring>

namespace chainrule::pipeline {
namespace {

void add(float* into, const float* from, std::int64_t count) {
#pragma omp parallel for simd schedule(static)
  for (std::int64_t i = 0; i < count; ++i) into[i] += from[i];
}

std::span<std::byte> bytes_of(float* values, std::int64_t count) {
  return std::as_writable_bytes(std::span(values, static_cast<std::size_t>(count)));
}

}  // namespace

LaneReduction::LaneReduction(const Communicator& communicator, const LanePlan& plan, const BlockOwnership& ownership)
    : communicator_(communicator),
      ownership_(ownership),
      mine_(plan.rank_plan(communicator.rank())),
      combine_(plan.combine_plan()),
      slice_capacity_(0) {
  for (std::int64_t i = 0; i < mine_.arenas; ++i) arenas_.emplace_back(ownership_.arena_size());
  for (const auto& slice : ownership_.slices_of(communicator.rank())) {
    slice_capacity_ = std::max(slice_capacity_, slice.end - slice.begin);
  }
  const auto foreign = std::count_if(combine_.leaves.begin(), combine_.leaves.end(),
                                     [&](const auto& leaf) { return leaf.rank != communicator.rank(); });
  received_ = model::Arena(kInFlight * foreign * slice_capacity_);
}

void LaneReduction::merge(const Merge& merge, model::ParameterRange range) {
  add(arenas_[static_cast<std::size_t>(merge.into)].data() + range.begin,
      arenas_[static_cast<std::size_t>(merge.from)].data() + range.begin, range.end - range.begin);
}

void LaneReduction::finish(std::size_t turn) {
  if (turn + 1 == mine_.turns.size()) return;
  for (const Merge& each : mine_.turns[turn].merges) merge(each, {0, ownership_.arena_size()});
}

void LaneReduction::begin_bucket(std::int64_t bucket) {
  if (!mine_.turns.empty()) {
    for (const Merge& each : mine_.turns.back().merges) merge(each, ownership_.bucket(bucket));
  }
  const int rank = communicator_.rank();
  const model::ParameterRange own = ownership_.slice(bucket, rank);
  const std::int64_t own_size = own.end - own.begin;
  auto& [transfers, leaves] = in_flight_[static_cast<std::size_t>(bucket % kInFlight)];
  transfers.clear();
  leaves.clear();
  float* room = received_.data() + bucket % kInFlight * (received_.size() / kInFlight);
  for (std::size_t i = 0; i < combine_.leaves.size(); ++i) {
    const auto& leaf = combine_.leaves[i];
    const int tag = static_cast<int>(i);
    if (leaf.rank != rank) {
      leaves.push_back(room);
      if (own_size > 0) transfers.push_back(communicator_.receive(bytes_of(room, own_size), leaf.rank, tag));
      room += slice_capacity_;
      continue;
    }
    float* arena = arenas_[static_cast<std::size_t>(leaf.arena)].data();
    leaves.push_back(arena + own.begin);
    for (int step = 1; step < communicator_.size(); ++step) {
      const int owner = (rank + step) % communicator_.size();  // not everybody to rank 0 first
      const model::ParameterRange theirs = ownership_.slice(bucket, owner);
      if (theirs.begin == theirs.end) continue;
      transfers.push_back(communicator_.send(bytes_of(arena + theirs.begin, theirs.end - theirs.begin), owner, tag));
    }
  }
}

void LaneReduction::finish_bucket(std::int64_t bucket, const std::stop_token& stop) {
  auto& [transfers, leaves] = in_flight_[static_cast<std::size_t>(bucket % kInFlight)];
  wait_beside_computation(transfers, stop);
  const model::ParameterRange own = ownership_.slice(bucket, communicator_.rank());
  const std::int64_t own_size = own.end - own.begin;
  if (own_size == 0) return;
  for (const Merge& each : combine_.merges) {
    add(leaves[static_cast<std::size_t>(each.into)], leaves[static_cast<std::size_t>(each.from)], own_size);
  }
  float* result = arenas_.front().data() + own.begin;
  if (leaves.front() != result) std::memcpy(result, leaves.front(), static_cast<std::size_t>(own_size) * sizeof(float));
}

}  // namespace chainrule::pipeline
