#include "pipeline/pretrain/exchange/gradient_reduction.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {
namespace {

std::span<std::byte> bytes_of(float* values, std::int64_t count) {
  return std::as_writable_bytes(std::span(values, static_cast<std::size_t>(count)));
}

}  // namespace

GradientReduction::GradientReduction(const comm::Communicator& communicator, const Ownership& ownership)
    : communicator_(communicator), ownership_(ownership), slice_capacity_(0) {
  for (const auto& slice : ownership_.slices_of(communicator.rank())) {
    slice_capacity_ = std::max(slice_capacity_, slice.end - slice.begin);
  }
}

void GradientReduction::make_room_for_leaves(std::int64_t foreign) {
  const std::int64_t received = kInFlight * foreign * slice_capacity_;
  if (received > received_.size()) received_ = model::Arena(received);
}

void GradientReduction::begin_bucket(std::int64_t bucket) {
  for (const model::shape::ParameterRange& range : without(ownership_.bucket(bucket), late_)) complete(range);
  const int rank = communicator_.rank();
  const auto slot = static_cast<std::int64_t>(begun_++ % kInFlight);
  auto& [index, own, transfers, leaves] = in_flight_[static_cast<std::size_t>(slot)];
  index = bucket;
  own = ownership_.slice(bucket, rank);
  const std::int64_t own_size = own.end - own.begin;
  transfers.clear();
  leaves.clear();
  float* room = received_.data() + slot * (received_.size() / kInFlight);
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    const Leaf& leaf = leaves_[i];
    const int tag = static_cast<int>(i);
    if (leaf.rank != rank) {
      leaves.push_back(room);
      if (own_size > 0) transfers.push_back(communicator_.receive(bytes_of(room, own_size), leaf.rank, tag));
      room += slice_capacity_;
      continue;
    }
    leaves.push_back(leaf.arena + own.begin);
    for (int step = 1; step < communicator_.size(); ++step) {
      const int owner = (rank + step) % communicator_.size();  // not everybody to rank 0 first
      const model::shape::ParameterRange theirs = ownership_.slice(bucket, owner);
      if (theirs.begin == theirs.end) continue;
      transfers.push_back(
          communicator_.send(bytes_of(leaf.arena + theirs.begin, theirs.end - theirs.begin), owner, tag));
    }
  }
}

void GradientReduction::finish_bucket(const std::stop_token& stop) {
  auto& [bucket, own, transfers, leaves] = in_flight_[finished_++ % kInFlight];
  comm::wait_beside_computation(transfers, stop);
  for (const model::shape::ParameterRange& range : without(own, late_)) {
    combine(leaves, range.begin - own.begin, range);
  }
  finished(ownership_.bucket(bucket));
}

void GradientReduction::begin_late() {
  for (const model::shape::ParameterRange& range : late_) complete(range);
  const int rank = communicator_.rank();
  std::vector<ArenaRanges> late_of;
  for (int owner = 0; owner < communicator_.size(); ++owner) {
    late_of.push_back(common_part(late_, ownership_.slices_of(owner)));
  }
  own_late_ = late_of[static_cast<std::size_t>(rank)];
  const std::int64_t own_size = elements_of(own_late_);
  const auto local = std::ranges::count_if(leaves_, [&](const Leaf& leaf) { return leaf.rank == rank; });
  packed_leaves_.resize(static_cast<std::size_t>(own_size) * leaves_.size());
  packed_for_others_.resize(static_cast<std::size_t>((elements_of(late_) - own_size) * local));
  auto& transfers = late_in_flight_.transfers;
  auto& leaves = late_in_flight_.leaves;
  transfers.clear();
  leaves.clear();
  float* room = packed_for_others_.data();
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    const Leaf& leaf = leaves_[i];
    const int tag = static_cast<int>(i);
    leaves.push_back(packed_leaves_.data() + static_cast<std::int64_t>(i) * own_size);
    if (leaf.rank != rank) {
      if (own_size > 0) transfers.push_back(communicator_.receive(bytes_of(leaves.back(), own_size), leaf.rank, tag));
      continue;
    }
    pack(leaf.arena, own_late_, leaves.back());
    for (int step = 1; step < communicator_.size(); ++step) {
      const int owner = (rank + step) % communicator_.size();
      const ArenaRanges& theirs = late_of[static_cast<std::size_t>(owner)];
      const std::int64_t size = elements_of(theirs);
      if (size == 0) continue;
      pack(leaf.arena, theirs, room);
      transfers.push_back(communicator_.send(bytes_of(room, size), owner, tag));
      room += size;
    }
  }
}

void GradientReduction::finish_late(const std::stop_token& stop) {
  comm::wait_beside_computation(late_in_flight_.transfers, stop);
  std::int64_t offset = 0;
  for (const model::shape::ParameterRange& range : own_late_) {
    combine(late_in_flight_.leaves, offset, range);
    offset += range.end - range.begin;
  }
}

}  // namespace chainrule::pipeline::pretrain::exchange
