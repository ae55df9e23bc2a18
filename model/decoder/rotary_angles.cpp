#include "model/decoder/rotary_angles.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace chainrule::model::decoder {

RotaryAngles::RotaryAngles(const shape::Config& config)
    : used_(config.position_encoding == shape::PositionEncoding::rotary),
      rotary_(config.rotary),
      head_width_(shape::attention_shape(config).head_width),
      sequence_length_(config.sequence_length) {}

RotaryAngles::Table RotaryAngles::make(std::int64_t first, std::int64_t count, std::int64_t length) const {
  const std::vector<float> frequencies = shape::rotary_frequencies(rotary_, head_width_, length);
  const auto factor = static_cast<float>(rotary_.scaling.attention_factor);
  const auto half = static_cast<std::int64_t>(frequencies.size());
  Table table;
  table.cosines.resize(static_cast<std::size_t>(count * half));
  table.sines.resize(table.cosines.size());
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < count; ++row) {
    for (std::int64_t i = 0; i < half; ++i) {
      // The angle is rounded to float32, as by those who trained and published the models.
      const float angle = static_cast<float>(first + row) * frequencies[static_cast<std::size_t>(i)];
      const auto at = static_cast<std::size_t>(row * half + i);
      table.cosines[at] = static_cast<float>(std::cos(static_cast<double>(angle))) * factor;
      table.sines[at] = static_cast<float>(std::sin(static_cast<double>(angle))) * factor;
    }
  }
  return table;
}

ops::RotaryRun RotaryAngles::run(std::int64_t first_row, std::int64_t rows, std::int64_t position,
                                 std::int64_t length) {
  if (rotary_.by_length() && length > rotary_.scaling.original_length) {
    const Table& table = by_length_.emplace_back(make(position, rows, length));
    return {first_row, rows, table.cosines.data(), table.sines.data()};
  }
  const std::int64_t offset = position * (head_width_ / 2);
  return {first_row, rows, shared_.cosines.data() + offset, shared_.sines.data() + offset};
}

std::span<const ops::RotaryRun> RotaryAngles::of(const Rows& rows) {
  if (!used_) return {};
  by_length_.clear();
  runs_.clear();
  std::int64_t longest = 0;
  if (rows.batch != nullptr) {
    for (const ops::Sequence& each : rows.batch->sequences) longest = std::max(longest, each.length());
  } else {
    for (const ops::StepRow& each : rows.steps) longest = std::max(longest, each.position + 1);
  }
  if (longest > positions_) {
    const auto doubled = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(longest)));
    positions_ = std::max(longest, std::min(doubled, sequence_length_));
    shared_ = make(0, positions_, 1);
  }
  if (rows.batch != nullptr) {
    for (const ops::Sequence& each : rows.batch->sequences)
      runs_.push_back(run(each.first_row, each.rows, each.position, each.length()));
  } else {
    for (std::size_t row = 0; row < rows.steps.size(); ++row) {
      const std::int64_t position = rows.steps[row].position;
      runs_.push_back(run(static_cast<std::int64_t>(row), 1, position, position + 1));
    }
  }
  return runs_;
}

}  // namespace chainrule::model::decoder
