#include "io/tensors/safetensors/index.h"

#include <fmt/format.h>

#include <climits>
#include <utility>

#include "io/error.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"

namespace chainrule::io::tensors::safetensors {
namespace {

bool is_plain_file_name(const std::string& name) {
  return !name.empty() && name.size() <= NAME_MAX && name.front() != '.' && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

/// Takes an index while it is parsed; nothing of its metadata is kept.
class IndexEvents final : public files::JsonEvents {
 public:
  std::string problem() const { return problem_.empty() ? what() : problem_; }
  bool has_map() const { return has_map_; }
  WeightMap take() { return std::move(map_); }

  bool null() override { return skipped(); }
  bool boolean(bool) override { return skipped(); }
  bool number_integer(number_integer_t) override { return skipped(); }
  bool number_unsigned(number_unsigned_t) override { return skipped(); }
  bool number_float(number_float_t, const string_t&) override { return skipped(); }
  bool start_array(std::size_t) override { return skipped() && enter(); }
  bool string(string_t& file) override;
  bool key(string_t& name) override;
  bool start_object(std::size_t) override;

 private:
  bool begin_member(const std::string& name);
  bool in_map() const { return depth() > 0 && member_ == "weight_map"; }
  /// Only in metadata.
  bool skipped() { return member_ == "metadata" || wrong("'weight_map' is no object of names of files"); }
  bool wrong(std::string what) {
    problem_ = std::move(what);
    return false;
  }

  WeightMap map_;
  bool has_map_ = false;
  bool has_metadata_ = false;
  std::string member_;  ///< of the index
  std::string tensor_;
  std::string problem_;
};

bool IndexEvents::string(string_t& file) {
  if (!in_map() || depth() != 2) return skipped();
  if (!is_plain_file_name(file)) {
    return wrong(
        fmt::format("tensor {} lies in {}, which is no file beside the index", in_quotes(tensor_), in_quotes(file)));
  }
  map_[tensor_] = file;
  return true;
}

bool IndexEvents::key(string_t& name) {
  if (depth() == 1) return begin_member(name);
  if (!in_map()) return true;
  tensor_ = name;
  return map_.try_emplace(name).second || wrong(fmt::format("names tensor {} twice", in_quotes(name)));
}

bool IndexEvents::begin_member(const std::string& name) {
  member_ = name;
  if (name != "weight_map" && name != "metadata") return wrong(fmt::format("{} is not known", in_quotes(name)));
  bool& seen = name == "metadata" ? has_metadata_ : has_map_;
  return !std::exchange(seen, true) || wrong(fmt::format("has '{}' twice", name));
}

bool IndexEvents::start_object(std::size_t) {
  const bool expected = depth() == 0 || (depth() == 1 && in_map());
  return (expected || skipped()) && enter();
}

}  // namespace

WeightMap parse_index(std::string_view text, std::string_view file_name) {
  IndexEvents events;
  if (!events.parse(text)) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{} is not the index of a safetensors model: {}", file_name, events.problem()));
  }
  if (!events.has_map()) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{} is not the index of a safetensors model: it has no 'weight_map'", file_name));
  }
  return events.take();
}

}  // namespace chainrule::io::tensors::safetensors
