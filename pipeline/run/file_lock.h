#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "pipeline/run/hold_file.h"

namespace chainrule::pipeline::run {

/// Who this process is, for whoever finds its lock.
std::string holder_text();

/// no_locks: the file system has none (Lustre mounted without `flock`, NFS without its lock service).
enum class Locking { locked, is_locked, no_locks };

/// Takes a lock of the open file, which the system frees with the last copy of the descriptor, however that ends; it
/// works over NFS too. is_locked: another process has it. Throws io::Error cannot_create where path cannot be locked
/// for another reason.
Locking try_lock(int file, const std::filesystem::path& path);

/// The same of a file that holds something else than who has it. Returns what holds it where the file system has no
/// locks, null where it is locked. Throws io::Error cannot_create also where another process has it.
std::unique_ptr<HoldFile> lock_file(int file, const std::filesystem::path& path);

/// Asks for another process's lock of the open file, and never takes it, so that whoever starts now finds it free:
/// is_locked where there is one, else locked. Throws io::Error missing_input where it cannot be asked for.
Locking look_at_lock(int file, const std::filesystem::path& path);

}  // namespace chainrule::pipeline::run
