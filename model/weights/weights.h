#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "model/weights/stored_matrix.h"

namespace chainrule::model::weights {

/// A model's parameters as files store them, by their offsets in an arena of its table: matrices stay where they are,
/// vectors (gains and biases) are float32.
class StoredWeights {
 public:
  /// The rows of the parameter at an offset, in order; whatever they point into is kept alive by `keep`.
  void put_matrix(std::int64_t offset, std::vector<StoredMatrix> rows) { matrices_[offset] = std::move(rows); }
  void put_vector(std::int64_t offset, std::vector<float> values) { vectors_[offset] = std::move(values); }
  void keep(std::shared_ptr<const void> files) { kept_.push_back(std::move(files)); }

  bool has_matrix(std::int64_t offset) const { return matrices_.contains(offset); }
  /// Throw std::out_of_range for an offset without such a parameter.
  const std::vector<StoredMatrix>& matrix(std::int64_t offset) const { return matrices_.at(offset); }
  const float* vector(std::int64_t offset) const { return vectors_.at(offset).data(); }
  /// Bytes of all matrices as they are stored.
  std::int64_t matrix_bytes() const {
    std::int64_t bytes = 0;
    for (const auto& [offset, rows] : matrices_) {
      for (const StoredMatrix& each : rows) bytes += each.rows * encoded_bytes(each.encoding, each.columns);
    }
    return bytes;
  }
  /// Parameters that were put.
  std::size_t size() const { return matrices_.size() + vectors_.size(); }

 private:
  std::map<std::int64_t, std::vector<StoredMatrix>> matrices_;
  std::map<std::int64_t, std::vector<float>> vectors_;
  std::vector<std::shared_ptr<const void>> kept_;
};

/// Where a pass reads a model's parameters: an arena of float32, or as files store them. A view.
class Weights {
 public:
  Weights(std::span<const float> arena) : arena_(arena) {}     // NOLINT: an arena is weights
  Weights(std::span<float> arena) : arena_(arena) {}           // NOLINT
  Weights(const std::vector<float>& arena) : arena_(arena) {}  // NOLINT
  Weights(const StoredWeights& stored) : stored_(&stored) {}   // NOLINT

  /// Of the arena; empty for stored weights.
  std::span<const float> arena() const { return arena_; }
  /// Null for an arena.
  const StoredWeights* stored() const { return stored_; }
  /// The values of a vector, or of a parameter of an arena.
  const float* values(std::int64_t offset) const {
    return stored_ != nullptr ? stored_->vector(offset) : arena_.data() + offset;
  }

 private:
  std::span<const float> arena_ = {};
  const StoredWeights* stored_ = nullptr;
};

}  // namespace chainrule::model::weights
