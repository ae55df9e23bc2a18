#include "io/hdf5/structure/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "io/hdf5/structure/object_header.h"
#include "io/hdf5/structure/values.h"

namespace chainrule::io::hdf5::structure {
namespace {

// The library's numbers of the filters.
constexpr std::uint16_t kDeflate = 1;
constexpr std::uint16_t kShuffle = 2;
constexpr std::uint16_t kFletcher32 = 3;

[[noreturn]] void refuse_message(const Message& message, std::string_view holder) {
  message.body.refuse(fmt::format("a message of type {} in a {}", static_cast<unsigned>(message.type), holder));
}

void check_fill_value(Fields body, std::uint64_t element_bytes) {
  body.require(body.u8() == 2, "a fill value of another version than 2");
  const std::uint8_t allocation = body.u8();
  body.require(allocation >= 1 && allocation <= 3, "an unknown time of allocation");
  body.require(body.u8() <= 2, "an unknown time of filling");
  const std::uint8_t defined = body.u8();
  body.require(defined <= 1, "a fill value neither defined nor undefined");
  if (defined == 0) return;
  const std::uint32_t bytes = body.u32();
  body.require(bytes == 0 || bytes == element_bytes, "a fill value of another size than the elements");
  body.skip(bytes);
}

void check_old_fill_value(Fields body, std::uint64_t element_bytes) {
  const std::uint32_t bytes = body.u32();
  body.require(bytes == 0 || bytes == element_bytes, "a fill value of another size than the elements");
  body.skip(bytes);
}

void read_layout(Fields body, std::uint64_t element_bytes, StoredDataset& dataset) {
  body.require(body.u8() == 3, "a data layout of another version than 3");
  body.require(body.u8() == 2, "data that are not stored in chunks");
  body.require(body.u8() == dataset.rank + 1, "chunks of another rank than their dataset");
  dataset.index_address = body.u64();
  dataset.chunk_bytes = 1;
  for (std::size_t i = 0; i <= dataset.rank; ++i) {
    dataset.chunk[i] = body.u32();
    body.require(dataset.chunk[i] > 0, "a chunk without elements");
    dataset.chunk_bytes *= dataset.chunk[i];  // of two numbers below 2^32
    body.require(dataset.chunk_bytes <= std::numeric_limits<std::uint32_t>::max(), "chunks of 4 GiB or more");
  }
  body.require(dataset.chunk[dataset.rank] == element_bytes, "chunks of elements of another size than the dataset's");
}

/// Filters in the order in which they come, if they come: what one makes is what the next one can take.
constexpr std::array<std::uint16_t, 3> kFilters{kShuffle, kDeflate, kFletcher32};

/// Returns the filter's place in kFilters, which is first at the earliest.
std::size_t read_filter(Fields& body, std::uint64_t element_bytes, std::size_t first) {
  const std::uint16_t filter = body.u16();
  const auto known = std::find(kFilters.begin(), kFilters.end(), filter);
  if (known == kFilters.end()) body.refuse(fmt::format("HDF5 filter {}, which chainrule does not read", filter));
  const auto place = static_cast<std::size_t>(known - kFilters.begin());
  body.require(place >= first, "a filter that comes twice or out of order");
  const std::uint16_t name_bytes = body.u16();
  body.require(name_bytes % 8 == 0, "a filter's name is not padded");
  body.require(body.u16() <= 1, "a filter with unknown flags");
  const std::uint16_t values = body.u16();
  body.require(values == (filter == kFletcher32 ? 0 : 1), "a filter of another number of values than it has");
  const Fields name = body.part(name_bytes);
  body.require(name_bytes == 0 || name.text().find('\0') != std::string_view::npos, "a filter's name does not end");
  if (values == 0) return place;
  const std::uint32_t value = body.u32();
  if (filter == kDeflate) body.require(value <= 9, "an unknown level of deflate");
  if (filter == kShuffle) body.require(value == element_bytes, "bytes shuffled for elements of another size");
  body.skip(4);
  return place;
}

void read_filters(Fields body, std::uint64_t element_bytes, StoredDataset& dataset) {
  body.require(body.u8() == 1, "a filter pipeline of another version than 1");
  const std::uint8_t filters = body.u8();
  body.skip(6);
  std::size_t next = 0;
  for (std::uint8_t i = 0; i < filters; ++i) {
    const std::size_t place = read_filter(body, element_bytes, next);
    if (kFilters[place] == kDeflate) dataset.deflate = true;
    if (kFilters[place] == kFletcher32) dataset.fletcher32 = true;
    next = place + 1;
  }
}

/// The messages of the dataset beside those that are looked at on their own.
void check_other(const Message& message, std::uint64_t element_bytes) {
  switch (message.type) {
    case MessageType::dataspace:
    case MessageType::datatype:
    case MessageType::layout:
    case MessageType::filters:
    case MessageType::modification_time: return;
    case MessageType::fill_value: return check_fill_value(message.body, element_bytes);
    case MessageType::old_fill_value: return check_old_fill_value(message.body, element_bytes);
    case MessageType::attribute: return check_attribute(message.body);
    default: refuse_message(message, "dataset");
  }
}

}  // namespace

StoredGroup read_group_header(MetadataFile& file, std::uint64_t address) {
  const ObjectHeader header = read_object_header(file, address);
  for (const Message& message : header.messages) {
    if (message.type == MessageType::attribute) {
      check_attribute(message.body);
    } else if (message.type != MessageType::symbol_table && message.type != MessageType::modification_time) {
      refuse_message(message, "group");
    }
  }
  Fields table = header.one(MessageType::symbol_table, "a group without a symbol table");
  const std::uint64_t tree = table.u64();
  return {.tree_address = tree, .heap_address = table.u64()};
}

StoredDataset read_dataset_header(MetadataFile& file, std::uint64_t address) {
  const ObjectHeader header = read_object_header(file, address);
  StoredDataset dataset;
  const Fields space_message = header.one(MessageType::dataspace, "a dataset without a dataspace");
  const Dataspace space = read_dataspace(space_message);
  space_message.require(space.rank > 0, "a dataset without dimensions");
  dataset.rank = space.rank;
  dataset.extent = space.extent;
  const std::uint64_t element_bytes = check_datatype(header.one(MessageType::datatype, "a dataset without a datatype"));
  read_layout(header.one(MessageType::layout, "a dataset without a layout"), element_bytes, dataset);
  for (const Message& message : header.messages) {
    if (message.type == MessageType::filters) read_filters(message.body, element_bytes, dataset);
    check_other(message, element_bytes);
  }
  return dataset;
}

}  // namespace chainrule::io::hdf5::structure
