#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::pipeline::cli {

/// Prints samples that are written at the same time, one after the other: the first that has not ended as it comes,
/// the others once it is their turn.
class SamplePrinter {
 public:
  explicit SamplePrinter(std::int64_t samples) : waiting_(static_cast<std::size_t>(samples)), ended_(waiting_.size()) {}
  void add(std::int64_t sample, std::string_view piece);
  void finish(std::int64_t sample);

 private:
  void begin();

  std::vector<std::string> waiting_;  // text of samples whose turn has not come
  std::vector<bool> ended_;
  std::size_t turn_ = 0;
  bool begun_ = false;  // the sample whose turn it is has its heading
};

}  // namespace chainrule::pipeline::cli
