#include "pipeline/pretrain/step/batch_reader.h"

#include <chrono>
#include <exception>
#include <utility>

#include "pipeline/run/activity.h"

namespace chainrule::pipeline::pretrain::step {

BatchReader::BatchReader(const windows::SampleSource& samples, std::int64_t micro_batch, std::int64_t length)
    : samples_(samples), micro_batch_(micro_batch), length_(length) {}

void BatchReader::fill(Buffer& buffer) const {
  buffer.windows.begin(micro_batch_ * length_, 0);
  for (std::int64_t i = 0; i < micro_batch_; ++i) {
    const windows::Sample sample = samples_.sample(buffer.first_sample + static_cast<std::uint64_t>(i));
    buffer.windows.add(*sample.stream, sample.window, length_);
  }
}

void BatchReader::begin(Buffer& buffer, std::uint64_t first_sample) {
  buffer.first_sample = first_sample;
  buffer.ticket = worker_.queue([this, &buffer](const std::stop_token&) { fill(buffer); });
}

model::ops::Batch BatchReader::take(std::uint64_t first, std::uint64_t next) {
  in_use_ = 1 - in_use_;
  Buffer& buffer = buffers_[in_use_];
  if (buffer.ticket == 0 || buffer.first_sample != first) begin(buffer, first);
  wait(buffer);
  begin(buffers_[1 - in_use_], next);
  return buffer.windows.batch();
}

void BatchReader::wait(const Buffer& buffer) {
  const run::Activity::During reading(run::Activity::Phase::reading);
  const auto started = std::chrono::steady_clock::now();
  worker_.wait(buffer.ticket);
  waited_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

std::span<const std::uint32_t> BatchReader::ahead() {
  const Buffer& buffer = buffers_[1 - in_use_];
  if (buffer.ticket == 0) return {};
  try {
    wait(buffer);
  } catch (const std::exception&) {
    return {};
  }
  return buffer.windows.batch().inputs;
}

double BatchReader::take_waited_seconds() { return std::exchange(waited_seconds_, 0.0); }

}  // namespace chainrule::pipeline::pretrain::step
