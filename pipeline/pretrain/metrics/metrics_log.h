#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace chainrule::pipeline::pretrain::metrics {

/// metrics.jsonl of a run: one self-contained JSON object a line, with the step it belongs to under "step".
class MetricsLog {
 public:
  /// Opens for appending after cutting off, atomically, what lies beyond last_step (of steps that will be taken again)
  /// and a line that was not completed. Other lines that cannot be read are left out, too: warns of them by number, and
  /// keeps the file as it was beside, as <path>.damaged. Warns of steps from first_step to last_step without a line.
  /// Throws io::Error.
  MetricsLog(const std::filesystem::path& path, std::int64_t last_step, std::int64_t first_step = 1);
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;
  ~MetricsLog();

  /// Appends a line in one write. Throws io::Error.
  void append(const std::string& json);
  /// As at the opening, but for steps without a line. Throws io::Error.
  void cut(std::int64_t last_step);
  /// Waits until the disk has all lines. Throws io::Error.
  void sync();

 private:
  /// The steps of the lines that are left, in order.
  std::vector<std::int64_t> cut_to(std::int64_t last_step);

  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace chainrule::pipeline::pretrain::metrics
