#include "model/ops/workspace.h"

#include <omp.h>

#include <algorithm>

namespace chainrule::model::ops {

void Workspace::multiply(const products::ProductShape& shape, const float* a, const float* b, const float* bias,
                         float* c) {
  if (blocked_ && blocked_->suit(shape)) {
    blocked_->multiply(shape, a, b, bias, c);
  } else {
    products_.multiply(shape, a, b, bias, c);
  }
}

void Workspace::multiply(const products::ProductShape& shape, const float* a, const weights::StoredMatrix& b,
                         const float* bias, float* c) {
  if (blocked_) {
    blocked_->multiply(shape, a, b, bias, c);
    return;
  }
  constexpr std::int64_t kColumns = 512;  // of the result at a time, enough for oneDNN to reuse what it packs
  float* decoded = shared_memory(std::min(kColumns, shape.n) * shape.k);
  for (std::int64_t first = 0; first < shape.n; first += kColumns) {
    products::ProductShape part = shape;
    part.n = std::min(kColumns, shape.n - first);
    part.b_stride = shape.transpose_b ? shape.k : part.n;
    const std::int64_t lanes = shape.transpose_b ? part.n : shape.k;
#pragma omp parallel for schedule(static)
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      if (shape.transpose_b) {
        b.decode_rows(first + lane, 1, 0, shape.k, decoded + lane * shape.k, shape.k);
      } else {
        b.decode_columns(first, part.n, lane, 1, decoded + lane * part.n, part.n);
      }
    }
    products_.multiply(part, a, decoded, bias != nullptr ? bias + first : nullptr, c + first);
  }
}

void Workspace::reserve_per_thread(std::int64_t elements) {
  thread_memory_.resize(std::max(thread_memory_.size(), static_cast<std::size_t>(omp_get_max_threads())));
  for (auto& each : thread_memory_) {
    if (each.size() < elements) each = Arena(elements);
  }
}

float* Workspace::thread_memory() { return thread_memory_[static_cast<std::size_t>(omp_get_thread_num())].data(); }

float* Workspace::shared_memory(std::int64_t elements) {
  if (shared_memory_.size() < elements) shared_memory_ = Arena(elements);
  return shared_memory_.data();
}

}  // namespace chainrule::model::ops
