#include "pipeline/pretrain/exchange/lane_reduction.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {
namespace {

void add(float* into, const float* from, std::int64_t count) {
#pragma omp parallel for simd schedule(static)
  for (std::int64_t i = 0; i < count; ++i) into[i] += from[i];
}

std::span<std::byte> bytes_of(float* values, std::int64_t count) {
  return std::as_writable_bytes(std::span(values, static_cast<std::size_t>(count)));
}

}  // namespace

LaneReduction::LaneReduction(const comm::Communicator& communicator, const Ownership& ownership)
    : communicator_(communicator), ownership_(ownership), slice_capacity_(0) {
  for (const auto& slice : ownership_.slices_of(communicator.rank())) {
    slice_capacity_ = std::max(slice_capacity_, slice.end - slice.begin);
  }
}

void LaneReduction::make_room(const LanePlan& plan) {
  const std::int64_t arenas = plan.rank_plan(communicator_.rank()).arenas;
  while (static_cast<std::int64_t>(arenas_.size()) < arenas) arenas_.emplace_back(ownership_.arena_size());
  const std::vector<CombinePlan::Leaf> leaves = plan.combine_plan().leaves;
  const auto foreign =
      std::ranges::count_if(leaves, [&](const auto& leaf) { return leaf.rank != communicator_.rank(); });
  const std::int64_t received = kInFlight * foreign * slice_capacity_;
  if (received > received_.size()) received_ = model::Arena(received);
}

void LaneReduction::plan(const LanePlan& plan) {
  make_room(plan);
  mine_ = plan.rank_plan(communicator_.rank());
  combine_ = plan.combine_plan();
}

void LaneReduction::merge(const Merge& merge, model::shape::ParameterRange range) {
  add(arenas_[static_cast<std::size_t>(merge.into)].data() + range.begin,
      arenas_[static_cast<std::size_t>(merge.from)].data() + range.begin, range.end - range.begin);
}

void LaneReduction::finish_lane(std::size_t lane) {
  if (lane + 1 == mine_.lanes.size()) return;
  for (const Merge& each : mine_.lanes[lane].merges) merge(each, {0, ownership_.arena_size()});
}

void LaneReduction::merge_last(model::shape::ParameterRange range) {
  if (mine_.lanes.empty()) return;
  for (const Merge& each : mine_.lanes.back().merges) merge(each, range);
}

void LaneReduction::add_leaves(const std::vector<float*>& leaves, std::int64_t offset, std::int64_t count) const {
  for (const Merge& each : combine_.merges) {
    add(leaves[static_cast<std::size_t>(each.into)] + offset, leaves[static_cast<std::size_t>(each.from)] + offset,
        count);
  }
}

void LaneReduction::begin_bucket(std::int64_t bucket) {
  for (const model::shape::ParameterRange& range : without(ownership_.bucket(bucket), late_)) merge_last(range);
  const int rank = communicator_.rank();
  const auto slot = static_cast<std::int64_t>(begun_++ % kInFlight);
  auto& [own, transfers, leaves] = in_flight_[static_cast<std::size_t>(slot)];
  own = ownership_.slice(bucket, rank);
  const std::int64_t own_size = own.end - own.begin;
  transfers.clear();
  leaves.clear();
  float* room = received_.data() + slot * (received_.size() / kInFlight);
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
      const model::shape::ParameterRange theirs = ownership_.slice(bucket, owner);
      if (theirs.begin == theirs.end) continue;
      transfers.push_back(communicator_.send(bytes_of(arena + theirs.begin, theirs.end - theirs.begin), owner, tag));
    }
  }
}

void LaneReduction::finish_bucket(const std::stop_token& stop) {
  auto& [own, transfers, leaves] = in_flight_[finished_++ % kInFlight];
  comm::wait_beside_computation(transfers, stop);
  for (const model::shape::ParameterRange& range : without(own, late_)) {
    const std::int64_t offset = range.begin - own.begin;
    const std::int64_t count = range.end - range.begin;
    add_leaves(leaves, offset, count);
    float* result = arenas_.front().data() + range.begin;
    if (leaves.front() + offset != result) std::copy_n(leaves.front() + offset, count, result);
  }
}

void LaneReduction::begin_late() {
  for (const model::shape::ParameterRange& range : late_) merge_last(range);
  const int rank = communicator_.rank();
  std::vector<ArenaRanges> late_of;
  for (int owner = 0; owner < communicator_.size(); ++owner) {
    late_of.push_back(common_part(late_, ownership_.slices_of(owner)));
  }
  own_late_ = late_of[static_cast<std::size_t>(rank)];
  const std::int64_t own_size = elements_of(own_late_);
  const auto local = std::count_if(combine_.leaves.begin(), combine_.leaves.end(),
                                   [&](const auto& leaf) { return leaf.rank == rank; });
  packed_leaves_.resize(static_cast<std::size_t>(own_size) * combine_.leaves.size());
  packed_for_others_.resize(static_cast<std::size_t>((elements_of(late_) - own_size) * local));
  auto& transfers = late_in_flight_.transfers;
  auto& leaves = late_in_flight_.leaves;
  transfers.clear();
  leaves.clear();
  float* room = packed_for_others_.data();
  for (std::size_t i = 0; i < combine_.leaves.size(); ++i) {
    const auto& leaf = combine_.leaves[i];
    const int tag = static_cast<int>(i);
    leaves.push_back(packed_leaves_.data() + static_cast<std::int64_t>(i) * own_size);
    if (leaf.rank != rank) {
      if (own_size > 0) transfers.push_back(communicator_.receive(bytes_of(leaves.back(), own_size), leaf.rank, tag));
      continue;
    }
    const float* arena = arenas_[static_cast<std::size_t>(leaf.arena)].data();
    pack(arena, own_late_, leaves.back());
    for (int step = 1; step < communicator_.size(); ++step) {
      const int owner = (rank + step) % communicator_.size();
      const ArenaRanges& theirs = late_of[static_cast<std::size_t>(owner)];
      const std::int64_t size = elements_of(theirs);
      if (size == 0) continue;
      pack(arena, theirs, room);
      transfers.push_back(communicator_.send(bytes_of(room, size), owner, tag));
      room += size;
    }
  }
}

void LaneReduction::finish_late(const std::stop_token& stop) {
  comm::wait_beside_computation(late_in_flight_.transfers, stop);
  add_leaves(late_in_flight_.leaves, 0, elements_of(own_late_));
  unpack(packed_leaves_.data(), own_late_, arenas_.front().data());
}

}  // namespace chainrule::pipeline::pretrain::exchange
