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

/// How much of an arena is in memory at a time.
enum class Backing {
  whole,   ///< all of it, in time: huge pages where the system grants them
  sparse,  ///< what was touched and not released: small pages but where asked, no memory set aside for the rest
};

/// A flat float32 buffer, zero at first, aligned to pages:
/// parameters, gradients, optimizer state and activations live in such arenas. Move-only.
class Arena {
 public:
  Arena() = default;
  /// Throws std::bad_alloc. Memory is taken from the system as it is first touched.
  explicit Arena(std::int64_t elements, Backing backing = Backing::whole);

  float* data() { return memory_.get(); }
  const float* data() const { return memory_.get(); }
  std::int64_t size() const { return elements_; }
  std::span<float> span() { return {memory_.get(), static_cast<std::size_t>(elements_)}; }
  std::span<const float> span() const { return {memory_.get(), static_cast<std::size_t>(elements_)}; }

  /// Huge pages for elements [begin, end), where the system grants them: a quarter of the time to have memory anew, but
  /// each is there as a whole once a part of it is touched.
  void prefer_huge_pages(std::int64_t begin, std::int64_t end);
  /// Gives the pages that hold nothing but elements [begin, end) back to the system. What they held is lost: they are
  /// zero when next touched (where the system refuses, which costs memory only, they may be as they were).
  void release(std::int64_t begin, std::int64_t end);

 private:
  void advise(std::int64_t begin, std::int64_t end, int advice);

  std::unique_ptr<float[], Unmap> memory_;
  std::int64_t elements_ = 0;
};

}  // namespace chainrule::model
