#pragma once
#include <cstdint>
#include <filesystem>

#include "io/tensorboard/event.h"

namespace chainrule::io::tensorboard {

/// A new file events.out.tfevents.* that TensorBoard reads while it grows.
class EventFile {
 public:
  /// Makes folder and file, whose name sorts behind those of the files that are there: TensorBoard reads them in this
  /// order. What earlier files say of first_step and of steps behind it is void, which this one says where there are
  /// any, or where first_step is above 1. Throws Error (cannot_create, missing_input, input_output).
  EventFile(const std::filesystem::path& folder, std::int64_t first_step);
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;
  ~EventFile();

  /// Appends them in one write, now. Throws Error input_output.
  void add(std::int64_t step, const Scalars& scalars);

 private:
  void append(const std::string& event);

  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace chainrule::io::tensorboard
