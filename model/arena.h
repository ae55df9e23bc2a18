#pragma once
#include <cstdint>
#include <memory>
#include <span>

namespace chainrule::model {

/// Gives an arena's memory back to the system.
struct Unmap {
  std::int64_t elements = 0;
  void operator()(float* memory) const noexcept;
};

/// A flat float32 buffer, zero at first, aligned to pages and backed by huge pages where the system grants them:
/// parameters, gradients, optimizer state and activations live in such arenas. Move-only.
class Arena {
 public:
  Arena() = default;
  /// Throws std::bad_alloc. Memory is taken from the system as it is first touched.
  explicit Arena(std::int64_t elements);

  float* data() { return memory_.get(); }
  const float* data() const { return memory_.get(); }
  std::int64_t size() const { return elements_; }
  std::span<float> span() { return {memory_.get(), static_cast<std::size_t>(elements_)}; }
  std::span<const float> span() const { return {memory_.get(), static_cast<std::size_t>(elements_)}; }

 private:
  std::unique_ptr<float[], Unmap> memory_;
  std::int64_t elements_ = 0;
};

}  // namespace chainrule::model
