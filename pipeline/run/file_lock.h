#pragma once
#include <filesystem>
#include <string>

namespace chainrule::pipeline::run {

/// Who this process is, for whoever finds its lock.
std::string holder_text();

/// Takes a lock of the open file, which the system frees with the last copy of the descriptor, however that ends; it
/// works over NFS too. Whether it was free. Throws io::Error cannot_create where path cannot be locked at all.
bool try_lock(int file, const std::filesystem::path& path);

/// The same of a file that holds something else than who has it. Throws io::Error cannot_create also where another
/// process has it.
void lock_file(int file, const std::filesystem::path& path);

/// Whether another process has a lock of the open file. It is only asked for, never taken, so that whoever starts now
/// finds it free. Throws io::Error missing_input where it cannot be asked for.
bool is_locked(int file, const std::filesystem::path& path);

}  // namespace chainrule::pipeline::run
