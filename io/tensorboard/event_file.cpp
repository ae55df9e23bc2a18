#include "io/tensorboard/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "io/tensorboard/record.h"

namespace chainrule::io::tensorboard {
namespace {

constexpr std::string_view kNameBegins = "events.out.tfevents.";

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The seconds in the name of the last file in a folder; nothing where there is none.
std::optional<std::int64_t> last_seconds_in(const std::filesystem::path& folder) {
  std::optional<std::int64_t> last;
  for (const std::filesystem::path& entry : files::list_folder(folder)) {
    const std::string name = entry.filename().string();
    if (!name.starts_with(kNameBegins)) continue;
    std::int64_t seconds = 0;
    std::from_chars(name.data() + kNameBegins.size(), name.data() + name.size(), seconds);
    last = std::max(last.value_or(0), seconds);
  }
  return last;
}

std::string host_name() {
  utsname system{};
  ::uname(&system);
  std::string name = system.nodename;
  std::replace(name.begin(), name.end(), '/', '-');
  return name;
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t first_step) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::cannot_create, fmt::format("cannot make {}: {}", path_in_quotes(folder), error.message()));
  }
  // Two starts within a second, or a clock that was set back, must not put this file before an earlier one.
  const std::optional<std::int64_t> last = last_seconds_in(folder);
  const std::int64_t seconds = std::max(static_cast<std::int64_t>(wall_time()), last.value_or(0) + 1);
  path_ = folder / fmt::format("{}{:010}.{}.{}", kNameBegins, seconds, host_name(), ::getpid());
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) {
    throw Error(ErrorKind::cannot_create,
                fmt::format("cannot create {}: {}", path_in_quotes(path_), std::strerror(errno)));
  }
  append(version_event(wall_time()));
  if (first_step > 1 || last) append(start_event(wall_time(), first_step));
}

EventFile::~EventFile() {
  if (file_ >= 0) ::close(file_);
}

void EventFile::add(std::int64_t step, const Scalars& scalars) { append(scalars_event(wall_time(), step, scalars)); }

void EventFile::append(const std::string& event) {
  const std::string record = framed(event);
  const ssize_t wrote = ::write(file_, record.data(), record.size());
  if (wrote == static_cast<ssize_t>(record.size())) return;
  const std::string why = wrote < 0 ? std::strerror(errno) : fmt::format("{} of {} bytes fit", wrote, record.size());
  throw Error(ErrorKind::input_output, fmt::format("cannot write {}: {}", path_in_quotes(path_), why));
}

}  // namespace chainrule::io::tensorboard
