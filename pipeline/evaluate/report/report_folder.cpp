#include "pipeline/evaluate/report/report_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

#include "io/error.h"
#include "io/files/atomic_file.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& message) { throw io::Error(io::ErrorKind::cannot_create, message); }

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (!error) fs::create_directory(path, error);
  if (error) refuse(fmt::format("cannot create the folder '{}': {}", path.string(), error.message()));
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

}  // namespace

ReportFolder::ReportFolder(fs::path path) : path_(std::move(path)) {
  if (path_.filename().empty()) path_ = path_.parent_path();  // "DIR/" is DIR
  path_ = fs::absolute(path_);
  beside_ = path_.string() + fmt::format(".partial-{}", ::getpid());
  std::error_code error;
  const fs::file_status status = fs::status(path_, error);
  if (fs::exists(status)) {
    if (!fs::is_directory(status)) refuse(fmt::format("the report folder '{}' is a file", path_.string()));
    if (!fs::is_empty(path_, error) || error) {
      refuse(fmt::format("the report folder '{}' is already in use; name another, or remove it", path_.string()));
    }
  }
  make_folder(beside_);
  fs::remove(beside_, error);
}

void ReportFolder::begin() { make_folder(beside_); }

void ReportFolder::write(const std::string& name, const std::function<void(const TextSink&)>& write) {
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

void ReportFolder::write(const std::string& name, std::string_view content) {
  write(name, [&](const TextSink& sink) { sink(content); });
}

void ReportFolder::commit() {
  io::files::sync_path(beside_);
  try {
    io::files::commit_rename(beside_, path_);
  } catch (const io::Error& error) {
    refuse(fmt::format("{}; the report is whole in '{}'", error.what(), beside_.string()));
  }
}

}  // namespace chainrule::pipeline::evaluate::report
