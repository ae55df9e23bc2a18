#include "io/hdf5/call.h"

#include <fmt/format.h>

#include <string_view>
#include <type_traits>

namespace chainrule::io::hdf5 {

static_assert(std::is_same_v<hid_t, std::int64_t>, "Handle holds identifiers as 64-bit integers");

namespace {

void set_up() {
  // Handles close what is open. At exit the library would try once more to write what it could not write, and crash.
  H5dont_atexit();
  H5open();
  H5PLset_loading_state(0);
  H5Lunregister(H5L_TYPE_EXTERNAL);
}

/// The library quotes times with the line's end that ctime() gives them, and names as they are.
std::string in_one_line(std::string_view text) {
  std::string line;
  for (const char each : text) {
    const bool control = static_cast<unsigned char>(each) < 0x20 || each == 0x7F;
    if (!control) {
      line += each;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  return line;
}

herr_t append_description(unsigned, const H5E_error2_t* error, void* text) {
  auto& stack = *static_cast<std::string*>(text);
  const std::string description = in_one_line(error->desc == nullptr ? "" : error->desc);
  if (description.empty() || stack.ends_with(description)) return 0;
  if (!stack.empty()) stack += "; ";
  stack += description;
  return 0;
}

}  // namespace

std::unique_lock<FairMutex> lock() {
  static FairMutex mutex;
  std::unique_lock<FairMutex> held(mutex);
  static const bool ready = (set_up(), true);
  // Each thread has an error stack of its own, which would print itself.
  thread_local const bool quiet = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  static_cast<void>(ready && quiet);
  return held;
}

std::string take_error() {
  std::string stack;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, append_description, &stack);
  H5Eclear2(H5E_DEFAULT);
  return stack.empty() ? "no details" : stack;
}

void fail(ErrorKind kind, const std::string& operation) {
  const std::string stack = take_error();
  const bool system = stack.find("errno = ") != std::string::npos;
  if (system && kind == ErrorKind::bad_data) kind = ErrorKind::input_output;
  throw Error(kind, fmt::format("{} failed (HDF5: {})", operation, stack));
}

bool write_out(std::int64_t id) {
  return H5Iget_type(id) == H5I_DATASET ? H5Dflush(id) >= 0 : H5Fflush(id, H5F_SCOPE_LOCAL) >= 0;
}

void Handle::reset() noexcept {
  if (id_ < 0) return;
  const auto held = lock();
  if (failure_ && failure_->empty() && !write_out(id_)) *failure_ = take_error();
  if ((!failure_ || failure_->empty()) && H5Iis_valid(id_) > 0) H5Idec_ref(id_);
  H5Eclear2(H5E_DEFAULT);
  id_ = -1;
}

}  // namespace chainrule::io::hdf5
