#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace chainrule::pipeline::pretrain::metrics {

/// metrics.jsonl of a run: one self-contained JSON object a line, with the step it belongs to under "step".
class MetricsLog {
 public:
  /// Opens for appending after cutting off, atomically, what lies beyond last_step (of steps that will be taken again)
  /// and a line that was not completed. Throws io::Error.
  MetricsLog(const std::filesystem::path& path, std::int64_t last_step);
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;
  ~MetricsLog();

  /// Appends a line in one write. Throws io::Error.
  void append(const std::string& json);
  /// As at the opening. Throws io::Error.
  void cut(std::int64_t last_step);
  /// Waits until the disk has all lines. Throws io::Error.
  void sync();

 private:
  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace chainrule::pipeline::pretrain::metrics
