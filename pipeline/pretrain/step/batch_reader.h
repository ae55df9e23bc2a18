#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "model/ops/batch.h"
#include "pipeline/run/worker.h"
#include "pipeline/windows/batch_buffer.h"
#include "pipeline/windows/sample_source.h"

namespace chainrule::pipeline::pretrain::step {

/// Reads micro-batches of training samples, one ahead of the one in use, on a thread of its own.
class BatchReader {
 public:
  /// micro_batch sequences of length tokens, which the windows of samples have at most. samples outlives it.
  BatchReader(const windows::SampleSource& samples, std::int64_t micro_batch, std::int64_t length);

  /// The micro-batch that begins with sample `first`; valid until the next call. Then the one from `next` on is read
  /// ahead: naming another one later costs time only. Throws io::Error.
  model::ops::Batch take(std::uint64_t first, std::uint64_t next);

  /// The inputs of what is read ahead, once they are there; until the next take(). None where nothing is read ahead or
  /// where that failed, which take() will throw.
  std::span<const std::uint32_t> ahead();

  /// Seconds that take() waited for the disk, since this was last asked.
  double take_waited_seconds();

 private:
  struct Buffer {
    std::uint64_t first_sample = 0;
    run::Worker::Ticket ticket = 0;  // of the job that fills it; 0: none yet
    windows::BatchBuffer windows;    // [micro_batch, T]
  };
  void begin(Buffer& buffer, std::uint64_t first_sample);
  void fill(Buffer& buffer) const;
  void wait(const Buffer& buffer);

  const windows::SampleSource& samples_;
  std::int64_t micro_batch_;
  std::int64_t length_;
  std::array<Buffer, 2> buffers_;
  std::size_t in_use_ = 0;  // of the two
  double waited_seconds_ = 0;
  run::Worker worker_;  // last: it writes to the buffers
};

}  // namespace chainrule::pipeline::pretrain::step
