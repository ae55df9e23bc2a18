#pragma once
#include <array>
#include <chrono>

#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

/// Wall seconds that went to each kind of op.
class OpSeconds {
 public:
  double& operator[](OpKind kind) { return seconds_[static_cast<std::size_t>(kind)]; }
  double operator[](OpKind kind) const { return seconds_[static_cast<std::size_t>(kind)]; }

 private:
  std::array<double, kOpKinds> seconds_{};
};

/// Adds its own lifetime to a table; without a table it reads no clock.
template <typename Clock = std::chrono::steady_clock>
class OpTimer {
 public:
  OpTimer(OpSeconds* table, OpKind kind) : table_(table), kind_(kind) {
    if (table_ != nullptr) started_ = Clock::now();
  }
  OpTimer(const OpTimer&) = delete;
  OpTimer& operator=(const OpTimer&) = delete;
  ~OpTimer() {
    if (table_ != nullptr) (*table_)[kind_] += std::chrono::duration<double>(Clock::now() - started_).count();
  }

 private:
  OpSeconds* table_;
  OpKind kind_;
  typename Clock::time_point started_{};
};

}  // namespace chainrule::model::ops
