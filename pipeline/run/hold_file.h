#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

namespace chainrule::pipeline::run {

/// Keeps a file for one process where the file system has no locks, by another file beside it: PATH.held, which names
/// the holder (see Holder). A thread refreshes its time every second; what a dead process left is taken over. Who comes
/// first is decided by link(2) and rename(2) alone, which are atomic over NFS, too; whose it is, by what the file says.
class HoldFile {
 public:
  /// Holds path, which messages call `what`. Throws io::Error cannot_create where another process holds it (within
  /// seconds, naming it) or no such file can be made; input_output.
  HoldFile(const std::filesystem::path& path, std::string what);
  HoldFile(const HoldFile&) = delete;
  HoldFile& operator=(const HoldFile&) = delete;
  /// Lets go: nothing stays.
  ~HoldFile();

  /// A process that was suspended for long may have lost its hold: to be asked before anything is published. Throws
  /// io::Error: cannot_create where it is lost, input_output where that cannot be seen. Any thread may ask.
  void require() const;
  /// Of this hold, as nobody else's.
  const std::string& id() const { return id_; }

 private:
  /// Until it is stopped or the hold is lost.
  void refresh(const std::stop_token& stop) const;

  std::filesystem::path held_;
  std::string what_;
  std::string id_;
  std::jthread heart_;  // last: it uses all of the above
};

/// For whoever has a lock of path: throws io::Error cannot_create where a process that could not lock it holds it;
/// removes what a dead one left.
void require_no_hold(const std::filesystem::path& path, const std::string& what);

/// Who holds path by such a file, as far as a look tells: not who is dead, or has been silent for long by this
/// machine's clock. Throws io::Error input_output where it cannot be seen.
std::optional<std::string> holder_by_file(const std::filesystem::path& path);

/// Whether entry is, by its name, something that makes, is or was to become path's hold.
bool belongs_to_hold(const std::filesystem::path& entry, const std::filesystem::path& path);

}  // namespace chainrule::pipeline::run
