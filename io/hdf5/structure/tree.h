#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "io/hdf5/structure/metadata_file.h"

namespace chainrule::io::hdf5::structure {

/// Reads the nodes of a version 1 B-tree (file format specification, III.A.1), each whole, in order from the left.
class TreeReader {
 public:
  enum class Kind : std::uint8_t { group = 0, chunks = 1 };

  struct Node {
    std::uint8_t level;     ///< 0: a leaf
    std::uint16_t entries;  ///< entries + 1 keys with the entries' addresses between them make the body
    Fields body;
  };

  /// A node has room for most entries, and for a key more.
  TreeReader(MetadataFile& file, Kind kind, std::size_t key_bytes, std::size_t most);

  /// level: of the node above, none for the root. Throws Error bad_data; also where levels do not fall by one, and
  /// where siblings do not name each other.
  Node read(std::uint64_t address, std::optional<std::uint8_t> above);
  /// After the last node, which must name no further one. complete: whether the entries were all that there must be.
  void finish(bool complete) const;

 private:
  /// The rightmost node of a level so far.
  struct Last {
    std::uint64_t address = kUndefined;
    std::uint64_t right = kUndefined;
    std::optional<Fields> fields;
  };
  void follow(std::uint64_t address, std::uint8_t level, Fields& fields);

  MetadataFile& file_;
  Kind kind_;
  std::size_t node_bytes_;
  std::size_t most_;
  std::vector<Last> last_;  ///< of each level
};

}  // namespace chainrule::io::hdf5::structure
