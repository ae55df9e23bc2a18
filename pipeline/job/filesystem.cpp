#include "pipeline/job/filesystem.h"

#include <fmt/format.h>
#include <sys/vfs.h>

#include <system_error>

namespace chainrule::pipeline::job {
namespace {

namespace fs = std::filesystem;

struct Known {
  unsigned number;
  const char* name;
  bool of_this_node;
};

// From linux/magic.h and, for those that are not in the kernel, from their own sources.
constexpr Known kKnown[] = {
    {0xEF53, "ext4", true},        {0x58465342, "xfs", true},   {0x9123683E, "btrfs", true},
    {0x01021994, "tmpfs", true},   {0x858458F6, "ramfs", true}, {0x794C7630, "overlay", true},
    {0x2FC12FC1, "zfs", true},     {0xF2F52010, "f2fs", true},  {0x6969, "nfs", false},
    {0x0BD00BD0, "lustre", false}, {0x47504653, "gpfs", false}, {0x19830326, "beegfs", false},
    {0x00C36400, "ceph", false},   {0x65735546, "fuse", false}, {0xFF534D42, "cifs", false},
    {0xFE534D42, "smb2", false},   {0x01021997, "9p", false},   {0x5346414F, "afs", false},
    {0x7461636F, "ocfs2", false},  {0x01161970, "gfs2", false}, {0x20030528, "orangefs", false},
    {0xAAD7AAEA, "panfs", false},
};

}  // namespace

FileSystem file_system_by_number(long number) {
  for (const Known& each : kKnown) {
    if (each.number == static_cast<unsigned>(number)) return {each.name, each.of_this_node};
  }
  return {fmt::format("{:#x}", static_cast<unsigned>(number)), false};
}

FileSystem file_system_of(const fs::path& path) {
  std::error_code error;
  fs::path place = fs::absolute(path, error);
  if (error) return {};
  for (;; place = place.parent_path()) {
    struct statfs status {};
    if (::statfs(place.c_str(), &status) == 0) return file_system_by_number(static_cast<long>(status.f_type));
    if (place == place.parent_path()) return {};
  }
}

}  // namespace chainrule::pipeline::job
