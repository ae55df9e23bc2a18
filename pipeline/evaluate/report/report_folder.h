#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "pipeline/evaluate/report/render.h"

namespace chainrule::pipeline::evaluate::report {

/// A folder of results that appears whole or not at all: written beside its place, synced, renamed.
class ReportFolder {
 public:
  /// Checks now what would make commit() fail hours later. Throws io::Error cannot_create where path is in use (it
  /// exists and is not an empty folder) or the folder it goes into cannot be written to.
  explicit ReportFolder(const std::filesystem::path& path);
  ReportFolder(const ReportFolder&) = delete;
  ReportFolder& operator=(const ReportFolder&) = delete;
  /// Leaves nothing of a report that is not whole.
  ~ReportFolder();

  /// Makes the folder beside its place.
  void begin();
  /// Where it is written until commit().
  const std::filesystem::path& being_written() const { return beside_; }
  /// Makes a folder in it.
  void make_folder(const std::string& name) const;
  /// Writes one file: write is given a sink for its pieces. Throws io::Error.
  void write(const std::string& name, const std::function<void(const TextSink&)>& write) const;
  void write(const std::string& name, std::string_view content) const;
  /// Puts the folder in its place, once all that is in folders in it is safe. Throws io::Error; then it stays whole
  /// beside its place, and the message says where.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path beside_;  // while it is written
};

}  // namespace chainrule::pipeline::evaluate::report
