#include "io/hdf5/structure/object_header.h"

#include <fmt/format.h>

#include <algorithm>

namespace chainrule::io::hdf5::structure {
namespace {

constexpr std::uint64_t kHeaderPrefixBytes = 16;
constexpr std::uint64_t kAlignment = 8;
/// "Constant" and "not to be shared"; the others lead elsewhere or ask for what we do not do.
constexpr std::uint8_t kHarmlessFlags = 0x01 | 0x04;

/// The messages of one block after another, as the library reads them.
class HeaderReader {
 public:
  explicit HeaderReader(MetadataFile& file) : file_(file) {}

  ObjectHeader read(std::uint64_t address) {
    Fields prefix = file_.read(address, kHeaderPrefixBytes, "object header");
    prefix.require(prefix.u8() == 1, "an object header of another version than 1");
    prefix.require(prefix.u8() == 0, "a reserved byte is not 0");
    const std::uint16_t messages = prefix.u16();
    prefix.require(prefix.u32() == 1, "an object with other than one reference");
    const std::uint32_t bytes = prefix.u32();
    blocks_.push_back(file_.read(address + kHeaderPrefixBytes, bytes, "messages of an object header"));
    for (std::size_t i = 0; i < blocks_.size(); ++i) read_block(blocks_[i]);
    if (counted_ != messages) {
      prefix.refuse(fmt::format("an object header of {} messages says {}", counted_, messages));
    }
    return {std::move(messages_), std::move(prefix)};
  }

 private:
  void read_block(Fields block) {
    while (block.left() > 0) {
      const auto type = static_cast<MessageType>(block.u16());
      const std::uint16_t bytes = block.u16();
      block.require(bytes % kAlignment == 0, "a message's size is not a multiple of 8");
      block.require((block.u8() & ~kHarmlessFlags) == 0, "a message with unknown flags");
      block.skip(3);
      ++counted_;
      add(type, block.part(bytes));
    }
  }

  void add(MessageType type, Fields body) {
    if (type == MessageType::continuation) {
      const std::uint64_t offset = body.u64();
      const std::uint64_t bytes = body.u64();
      body.require(bytes >= kAlignment, "a continuation block is too small");
      blocks_.push_back(file_.read(offset, bytes, "continuation of an object header"));
    } else if (type != MessageType::nothing) {
      const auto same = [&](const Message& other) { return other.type == type; };
      body.require(type == MessageType::attribute || std::none_of(messages_.begin(), messages_.end(), same),
                   "a message comes twice");
      messages_.push_back({type, std::move(body)});
    }
  }

  MetadataFile& file_;
  std::vector<Fields> blocks_;
  std::vector<Message> messages_;
  std::size_t counted_ = 0;
};

}  // namespace

const Fields& ObjectHeader::one(MessageType type, std::string_view missing) const {
  for (const Message& message : messages) {
    if (message.type == type) return message.body;
  }
  prefix.refuse(std::string(missing));
}

ObjectHeader read_object_header(MetadataFile& file, std::uint64_t address) { return HeaderReader(file).read(address); }

}  // namespace chainrule::io::hdf5::structure
