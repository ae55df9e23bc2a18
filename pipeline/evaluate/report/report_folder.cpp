#include "pipeline/evaluate/report/report_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/published_folder.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_to_create(const std::string& message) {
  throw io::Error(io::ErrorKind::cannot_create, message);
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

}  // namespace

ReportFolder::ReportFolder(const fs::path& path) : path_(io::files::folder_path(path)) {
  if (!io::files::is_free_for_folder(path_)) {
    std::error_code error;
    refuse_to_create(
        fs::is_directory(path_, error)
            ? fmt::format("the report folder '{}' is already in use; name another, or remove it", path_.string())
            : fmt::format("the report folder '{}' is a file", path_.string()));
  }
  begin();
  std::error_code error;
  fs::remove(beside_, error);
  beside_.clear();
}

ReportFolder::~ReportFolder() {
  if (beside_.empty()) return;
  std::error_code ignored;
  fs::remove_all(beside_, ignored);
}

void ReportFolder::begin() { beside_ = io::files::make_folder_beside(path_); }

void ReportFolder::make_folder(const std::string& name) const { io::files::make_folder(beside_ / name); }

void ReportFolder::write(const std::string& name, const std::function<void(const TextSink&)>& write) const {
  const fs::path path = beside_ / name;
  const auto fail = [&](const char* operation) {
    throw io::Error(io::ErrorKind::input_output,
                    fmt::format("cannot {} '{}': {}", operation, path.string(), std::strerror(errno)));
  };
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "wbe"));
  if (!file) fail("create");
  write([&](std::string_view piece) {
    if (std::fwrite(piece.data(), 1, piece.size(), file.get()) != piece.size()) fail("write");
  });
  if (std::fflush(file.get()) != 0) fail("write");
  if (::fsync(::fileno(file.get())) != 0) fail("sync");
}

void ReportFolder::write(const std::string& name, std::string_view content) const {
  write(name, [&](const TextSink& sink) { sink(content); });
}

void ReportFolder::commit() {
  for (const fs::directory_entry& each : fs::recursive_directory_iterator(beside_)) {
    if (each.is_directory()) io::files::sync_path(each.path());
  }
  const fs::path beside = std::exchange(beside_, fs::path());  // whole: from here on it stays, wherever it is
  io::files::publish_folder(beside, path_);
}

}  // namespace chainrule::pipeline::evaluate::report
