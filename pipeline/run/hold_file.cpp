#include "pipeline/run/hold_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/quote.h"
#include "pipeline/run/hold_look.h"
#include "pipeline/run/holder.h"

namespace chainrule::pipeline::run {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kBeat{1};
constexpr std::chrono::seconds kWatch{3};  // beats enough, and a refusal still comes within five seconds
constexpr std::chrono::milliseconds kLookAgain{200};

constexpr const char* kClaim = ".after-";  // PATH.after-ID takes the place of the hold of that id

fs::path held_file(const fs::path& path) { return path.string() + ".held"; }

[[noreturn]] void refuse_hold(const std::string& message) { throw io::Error(io::ErrorKind::cannot_create, message); }

/// Takes a hold.
class Taker {
 public:
  Taker(const fs::path& path, const std::string& what)
      : path_(path), held_(held_file(path)), what_(what), mine_(new_holder()), file_(io::files::create_beside(path)) {
    const std::string text = to_json_text(mine_);
    if (::pwrite(file_.descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file_.descriptor) == 0) {
      return;
    }
    const int error = errno;
    drop();
    throw io::Error(io::ErrorKind::input_output,
                    fmt::format("cannot write {}: {}", io::path_in_quotes(file_.path), std::strerror(error)));
  }
  Taker(const Taker&) = delete;
  Taker& operator=(const Taker&) = delete;
  ~Taker() { drop(); }

  /// Until it is held; returns its id.
  std::string take() {
    constexpr int kTries = 100;  // others may let go and come just as often
    for (int i = 0; i < kTries; ++i) {
      if (put(held_)) return mine_.id;
      const std::optional<HoldLook> found = look_at_hold(held_);
      if (!found) continue;
      require_dead(held_, *found);
      if (replace(held_, *found)) return mine_.id;
    }
    refuse_hold(fmt::format("{} is in use: other processes take {} all the time", what_, io::path_in_quotes(held_)));
  }

 private:
  void drop() const {
    ::close(file_.descriptor);
    ::unlink(file_.path.c_str());
  }

  bool is_mine(const fs::path& place) const {
    const std::optional<HoldLook> now = look_at_hold(place);
    return now && now->holder && now->holder->id == mine_.id;
  }

  /// Whether this hold now lies at place, where nothing was. An answer that was lost on the way makes a link that was
  /// made look like one that was there: what lies there decides.
  bool put(const fs::path& place) const {
    if (::link(file_.path.c_str(), place.c_str()) == 0) return true;
    const int error = errno;
    if (is_mine(place)) return true;
    if (error == EEXIST) return false;
    refuse_hold(fmt::format("cannot hold {}: the file system has no locks, and no link {} can be made: {}", what_,
                            io::path_in_quotes(place), std::strerror(error)));
  }

  /// Puts this hold in the place of a dead one; false where another came first. Only who makes the claim of its id may
  /// do so, and who claimed and died is replaced in the same way. A claim made too late finds another hold there.
  bool replace(const fs::path& place, const HoldLook& dead) const {
    const fs::path claim = path_.string() + kClaim + dead.holder->id;
    if (!put(claim)) {
      const std::optional<HoldLook> other = look_at_hold(claim);
      if (!other) return false;
      require_dead(claim, *other);
      if (!replace(claim, *other)) return false;
    }
    const std::optional<HoldLook> still = look_at_hold(place);
    if (!still || !still->holder || still->holder->id != dead.holder->id) {
      ::unlink(claim.c_str());
      return false;
    }
    if (::rename(claim.c_str(), place.c_str()) != 0 && errno != ENOENT) {
      const int error = errno;
      ::unlink(claim.c_str());
      refuse_hold(fmt::format("cannot rename {} to {}: {}", io::path_in_quotes(claim), io::path_in_quotes(place),
                              std::strerror(error)));
    }
    return is_mine(place);
  }

  /// The file system's time, as it gives it to files of this machine.
  double now() const {
    if (::futimens(file_.descriptor, nullptr) != 0) return 0;  // then nothing looks old
    return time_of_hold(file_.descriptor);
  }

  /// Throws unless the holder is dead, or has been silent for so long that it counts as that.
  void require_dead(const fs::path& place, const HoldLook& seen) const {
    if (!seen.holder) {
      refuse_hold(fmt::format("{} is in use: {} does not say by whom; remove it where nobody works there", what_,
                              io::path_in_quotes(place)));
    }
    switch (is_running(seen.holder->process)) {
      case Running::no: return;
      case Running::yes: refuse_hold(fmt::format("{} is in use by {}", what_, name_of(*seen.holder)));
      case Running::cannot_be_seen: break;
    }
    const std::chrono::seconds patience = patience_with(*seen.holder, mine_);
    const std::chrono::duration<double> silent(now() - seen.refreshed);
    if (patience.count() > 0 && silent < patience) refuse_for(place, *seen.holder, silent.count());
    // Clocks of machines differ, and some file systems take theirs: one that lives is seen to refresh it.
    for (std::chrono::milliseconds passed{0}; passed < kWatch; passed += kLookAgain) {
      std::this_thread::sleep_for(kLookAgain);
      const std::optional<HoldLook> again = look_at_hold(place);
      if (!again) return;
      if (!again->holder || again->holder->id != seen.holder->id) return;  // replace() finds that, too
      if (again->refreshed != seen.refreshed) refuse_for(place, *again->holder, 0);
    }
  }

  [[noreturn]] void refuse_for(const fs::path& place, const Holder& holder, double silent) const {
    refuse_hold(fmt::format(
        "{} is in use by {}, which refreshed {} {:.0f} s ago. Should it have died: the file system has no locks that "
        "would tell, so start again {} min after it was last refreshed, or remove the file",
        what_, name_of(holder), io::path_in_quotes(place), std::max(0.0, silent), kPatience.count()));
  }

  const fs::path& path_;
  fs::path held_;
  const std::string& what_;
  Holder mine_;
  io::files::FileBeside file_;
};

}  // namespace

HoldFile::HoldFile(const fs::path& path, std::string what)
    : held_(held_file(path)), what_(std::move(what)), id_(Taker(path, what_).take()) {
  heart_ = std::jthread([this](const std::stop_token& stop) { refresh(stop); });
}

HoldFile::~HoldFile() {
  heart_.request_stop();
  heart_.join();
  try {
    require();
    ::unlink(held_.c_str());
  } catch (const io::Error&) {  // then it is another's
  }
}

void HoldFile::require() const {
  const std::optional<HoldLook> now = look_at_hold(held_);
  if (now && now->holder && now->holder->id == id_) return;
  refuse_hold(fmt::format(
      "{} is not held by this process any more: {}; it was suspended or out of reach for minutes, and writes nothing "
      "more there",
      what_,
      now && now->holder ? name_of(*now->holder) + " has taken it over" : io::path_in_quotes(held_) + " is gone"));
}

void HoldFile::refresh(const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stopped.wait_for(lock, stop, kBeat, [&] { return stop.stop_requested(); })) {
    try {
      if (!refresh_hold(held_, id_)) return;
    } catch (const io::Error&) {  // may pass; others see that it is not refreshed meanwhile
    }
  }
}

void require_no_hold(const fs::path& path, const std::string& what) {
  if (!look_at_hold(held_file(path))) return;
  const HoldFile taken_and_let_go(path, what);
}

std::optional<std::string> holder_by_file(const fs::path& path) {
  const std::optional<HoldLook> seen = look_at_hold(held_file(path));
  if (!seen) return std::nullopt;
  if (!seen->holder) return "another process";
  const Running running = is_running(seen->holder->process);
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::chrono::duration<double> silent(now - seen->refreshed);
  const bool seems_dead = running == Running::cannot_be_seen && silent >= patience_with(*seen->holder, {});
  if (running == Running::no || seems_dead) return std::nullopt;
  return name_of(*seen->holder);
}

bool belongs_to_hold(const fs::path& entry, const fs::path& path) {
  if (entry == held_file(path)) return true;
  return entry.string().starts_with(path.string() + kClaim) || entry.string().starts_with(path.string() + ".partial-");
}

}  // namespace chainrule::pipeline::run
