#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace chainrule::pipeline::run {

/// Progress on stderr: one line rewritten in place at a terminal, a plain line every so often in a batch log.
/// Quiet on ranks that do not speak.
class Progress {
 public:
  /// what: "packing"; unit: "documents". total 0 where unknown.
  Progress(std::string what, std::string unit, std::uint64_t total, bool speaks);
  /// done of total so far; note is appended as it is (e.g. "loss 3.21"). Cheap: prints only when it is time to.
  void update(std::uint64_t done, const std::string& note = "");
  /// Ends the line with the final count and rate.
  void finish(std::uint64_t done, const std::string& note = "");

 private:
  void print(std::uint64_t done, const std::string& note, bool last);

  std::string what_;
  std::string unit_;
  std::uint64_t total_;
  bool speaks_;
  bool terminal_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point next_;
  std::size_t shown_width_ = 0;
};

}  // namespace chainrule::pipeline::run
