#include "model/decoder/block_memory.h"

#include "model/round_up.h"

namespace chainrule::model::decoder {
namespace {

/// Hands out consecutive pieces of a buffer, each on a cache line of its own.
class Carver {
 public:
  explicit Carver(float* memory) : next_(memory) {}
  float* take(std::int64_t elements) {
    float* piece = next_;
    next_ += round_up(elements, 16);
    return piece;
  }

 private:
  float* next_;
};

}  // namespace

Buffers::Buffers(const shape::Block& block, std::int64_t rows, bool backward, float* memory) {
  Carver carver(memory);
  for (std::size_t each = 0; each < (backward ? shape::kBuffers : shape::kForwardBuffers); ++each) {
    at[each] = carver.take(rows * block.buffer_widths[each]);
  }
}

BlockMemory::BlockMemory(const shape::Block& block, std::int64_t rows, const SavedMemory& saved,
                         const Buffers& buffers) {
  Carver own(saved.own);
  Carver shared(saved.shared);
  for (const shape::Value& value : block.values) {
    Carver& carver = values.size() < saved.shared_values ? shared : own;
    switch (value.place) {
      case shape::Value::Place::stream: values.push_back(nullptr); break;
      case shape::Value::Place::saved: values.push_back(carver.take(rows * value.width)); break;
      case shape::Value::Place::buffer: values.push_back(buffers[value.buffer]); break;
    }
    gradients.push_back(value.gradient ? buffers[*value.gradient] : nullptr);
  }
}

}  // namespace chainrule::model::decoder
