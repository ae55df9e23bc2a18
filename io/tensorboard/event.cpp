#include "io/tensorboard/event.h"

#include <bit>

namespace chainrule::io::tensorboard {
namespace {

enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// Appends fields of a message.
class Message {
 public:
  void number(std::uint32_t field, std::uint64_t value) {
    key(field, Wire::varint);
    varint(value);
  }
  void text(std::uint32_t field, std::string_view value) {
    key(field, Wire::bytes);
    varint(value.size());
    bytes_ += value;
  }
  void float64(std::uint32_t field, double value) { fixed(field, Wire::fixed64, std::bit_cast<std::uint64_t>(value)); }
  void float32(std::uint32_t field, float value) { fixed(field, Wire::fixed32, std::bit_cast<std::uint32_t>(value)); }

  const std::string& bytes() const { return bytes_; }

 private:
  void key(std::uint32_t field, Wire wire) { varint((field << 3) | static_cast<std::uint32_t>(wire)); }

  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>((value & 0x7F) | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }

  template <typename Integer>
  void fixed(std::uint32_t field, Wire wire, Integer value) {
    key(field, wire);
    for (std::size_t i = 0; i < sizeof value; ++i) bytes_.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
  }

  std::string bytes_;
};

// Numbers of fields, as the .proto files have them.
namespace event {
constexpr std::uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace session_log {
constexpr std::uint32_t kStatus = 1;
constexpr std::uint64_t kStart = 1;
}  // namespace session_log
namespace summary {
constexpr std::uint32_t kValue = 1;
namespace value {
constexpr std::uint32_t kTag = 1, kSimpleValue = 2;
}
}  // namespace summary

Message event_at(double wall_time, std::int64_t step) {
  Message message;
  message.float64(event::kWallTime, wall_time);
  message.number(event::kStep, static_cast<std::uint64_t>(step));
  return message;
}

}  // namespace

std::string version_event(double wall_time) {
  Message message;
  message.float64(event::kWallTime, wall_time);
  message.text(event::kFileVersion, "brain.Event:2");
  return message.bytes();
}

std::string start_event(double wall_time, std::int64_t step) {
  Message log;
  log.number(session_log::kStatus, session_log::kStart);
  Message message = event_at(wall_time, step);
  message.text(event::kSessionLog, log.bytes());
  return message.bytes();
}

std::string scalars_event(double wall_time, std::int64_t step, const Scalars& scalars) {
  Message values;
  for (const auto& [tag, number] : scalars) {
    Message value;
    value.text(summary::value::kTag, tag);
    value.float32(summary::value::kSimpleValue, static_cast<float>(number));
    values.text(summary::kValue, value.bytes());
  }
  Message message = event_at(wall_time, step);
  message.text(event::kSummary, values.bytes());
  return message.bytes();
}

}  // namespace chainrule::io::tensorboard
