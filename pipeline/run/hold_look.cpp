#include "pipeline/run/hold_look.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>

#include "io/error.h"
#include "io/files/regular_file.h"
#include "io/quote.h"

namespace chainrule::pipeline::run {
namespace {

/// A hold file that is open, as long as this is.
class OpenedHold {
 public:
  OpenedHold(const std::filesystem::path& file, int flags)
      : descriptor_(::open(file.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) {}
  OpenedHold(const OpenedHold&) = delete;
  OpenedHold& operator=(const OpenedHold&) = delete;
  ~OpenedHold() {
    const int error = errno;  // of what was done with it
    if (descriptor_ >= 0) ::close(descriptor_);
    errno = error;
  }

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

  /// Whether it could be read.
  bool read(std::optional<Holder>& holder) const {
    char text[4096];
    const ssize_t got = ::pread(descriptor_, text, sizeof text, 0);
    if (got >= 0) holder = parse_holder({text, static_cast<std::size_t>(got)});
    return got >= 0;
  }

 private:
  int descriptor_;
};

/// use(opened, holder) of a hold file that is there and was read: whether that went well. False where none is there.
/// ESTALE, by which a network file system says that another file lies there than it remembers, is tried again.
template <class Use>
bool with_hold(const std::filesystem::path& file, int flags, const Use& use) {
  constexpr int kTries = 5;
  for (int i = 1;; ++i) {
    {
      const OpenedHold opened(file, flags);
      if (!opened.is_open() && (errno == ENOENT || errno == ENOTDIR)) return false;
      std::optional<Holder> holder;
      if (opened.is_open() && opened.read(holder) && use(opened, holder)) return true;
      const int error = errno;
      if (opened.is_open() && error != ESTALE) io::files::require_regular(opened.get(), file);
      errno = error;
    }
    if (errno == ESTALE && i < kTries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    throw io::Error(io::ErrorKind::input_output,
                    fmt::format("cannot look at {}: {}", io::path_in_quotes(file), std::strerror(errno)));
  }
}

}  // namespace

std::optional<HoldLook> look_at_hold(const std::filesystem::path& file) {
  HoldLook look;
  const bool is_there = with_hold(file, O_RDONLY, [&](const OpenedHold& opened, const std::optional<Holder>& holder) {
    look = {holder, time_of_hold(opened.get())};
    return true;
  });
  return is_there ? std::optional(look) : std::nullopt;
}

bool refresh_hold(const std::filesystem::path& file, const std::string& id) {
  bool is_ours = false;
  return with_hold(file, O_RDWR,
                   [&](const OpenedHold& opened, const std::optional<Holder>& holder) {
                     is_ours = holder && holder->id == id;
                     return !is_ours || ::futimens(opened.get(), nullptr) == 0;
                   }) &&
         is_ours;
}

double time_of_hold(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return 0;
  return static_cast<double>(status.st_mtim.tv_sec) + 1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
}

}  // namespace chainrule::pipeline::run
