#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "io/hdf5/structure/metadata_file.h"

namespace chainrule::io::hdf5::structure {

/// Types of messages in an object header (file format specification, IV.A.2).
enum class MessageType : std::uint16_t {
  nothing = 0x00,
  dataspace = 0x01,
  datatype = 0x03,
  old_fill_value = 0x04,
  fill_value = 0x05,
  layout = 0x08,
  filters = 0x0B,
  attribute = 0x0C,
  continuation = 0x10,
  symbol_table = 0x11,
  modification_time = 0x12,
};

struct Message {
  MessageType type;
  Fields body;
};

struct ObjectHeader {
  /// Without continuations and empty ones. Each type but attributes comes at most once.
  std::vector<Message> messages;
  Fields prefix;

  /// The one of this type; throws Error bad_data saying missing where there is none.
  const Fields& one(MessageType type, std::string_view missing) const;
};

/// A version 1 object header with its continuation blocks. Throws Error bad_data.
ObjectHeader read_object_header(MetadataFile& file, std::uint64_t address);

}  // namespace chainrule::io::hdf5::structure
