#include "io/hdf5/structure/check_structure.h"

#include "io/hdf5/structure/group.h"
#include "io/hdf5/structure/messages.h"
#include "io/hdf5/structure/metadata_file.h"

namespace chainrule::io::hdf5 {

namespace structure {
namespace {

using namespace std::string_view_literals;

/// With the root's symbol table entry.
constexpr std::uint64_t kSuperblockBytes = 96;

struct Root {
  std::uint64_t header_address = kUndefined;
  StoredGroup group;  ///< repeated from its header
  Fields fields;
};

/// Throws Error bad_data for another version than 0, which alone the library writes by default, and where anything is
/// not as by default.
Root read_superblock(MetadataFile& file) {
  Fields fields = file.read(0, kSuperblockBytes, "HDF5 superblock");
  fields.expect("\x89HDF\r\n\x1a\n"sv, "HDF5 signature");
  const std::uint8_t version = fields.u8();
  fields.require(version == 0, "a superblock of another version than 0");
  fields.expect("\0\0\0\0"sv, "versions of 0 and a reserved 0");
  fields.expect("\x08\x08\0"sv, "addresses and sizes of 8 bytes");
  fields.require(fields.u16() == kGroupLeafEntries / 2, "another size of a group's leaves than the default");
  fields.require(fields.u16() == kGroupTreeEntries / 2, "another size of a group's nodes than the default");
  fields.require(fields.u32() == 0, "a file that was not closed");
  fields.require(fields.u64() == 0, "another base address than 0");
  fields.require(fields.u64() == kUndefined, "a table of free space");
  const std::uint64_t end = fields.u64();
  fields.require(end >= kSuperblockBytes && end <= file.bytes(), "the file is truncated");
  fields.require(fields.u64() == kUndefined, "a driver's own block");
  file.end_at(end);
  fields.require(fields.u64() == 0, "a root with a name");
  const std::uint64_t header = fields.u64();
  fields.require(fields.u32() == 1 && fields.u32() == 0, "a root that is no group");
  const std::uint64_t tree = fields.u64();
  return {header, {.tree_address = tree, .heap_address = fields.u64()}, fields};
}

}  // namespace
}  // namespace structure

void check_structure(const std::filesystem::path& path) {
  structure::MetadataFile file(path);
  const structure::Root root = structure::read_superblock(file);
  const structure::StoredGroup group = structure::read_group_header(file, root.header_address);
  root.fields.require(group.tree_address == root.group.tree_address && group.heap_address == root.group.heap_address,
                      "a root that differs from its header");
  structure::check_group(file, group);
}

}  // namespace chainrule::io::hdf5
