#include "io/files/untrusted_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/quote.h"

namespace chainrule::io::files {
namespace {

using Json = nlohmann::json;

constexpr int kNumberOutOfRange = 406;  // nlohmann's number for this exception

/// Builds the value.
class ValueBuilder : public JsonEvents {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool start_object(std::size_t) override { return open(Json::value_t::object); }
  bool start_array(std::size_t) override { return open(Json::value_t::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    auto [member, fresh] = open_.back()->get_ref<Json::object_t&>().emplace(std::move(name), nullptr);
    if (!fresh) return refuse(Fault::repeated_key);
    member_ = &member->second;
    return true;
  }

  Json take() { return std::move(root_); }

 private:
  /// Where the next value goes. Only the last of an array's values is open, so that none moves while it is pointed to.
  Json* place(Json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      auto& values = open_.back()->get_ref<Json::array_t&>();
      values.push_back(std::move(value));
      return &values.back();
    }
    *member_ = std::move(value);
    return member_;
  }
  template <class Value>
  bool add(Value&& value) {
    place(Json(std::forward<Value>(value)));
    return true;
  }
  bool open(Json::value_t kind) {
    open_.push_back(place(Json(kind)));
    return enter();
  }
  bool close() {
    open_.pop_back();
    return leave();
  }

  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;  // of the innermost object, whose key was read
};

}  // namespace

bool JsonEvents::parse(std::string_view text) {
  const std::size_t zero = text.find('\0');
  const std::string_view before = text.substr(0, zero);
  if (!Json::sax_parse(before.begin(), before.end(), this)) return false;
  if (zero == std::string_view::npos) return true;
  fault_byte_ = zero + 1;
  return refuse(Fault::malformed);
}

bool JsonEvents::parse_next(std::istream& stream) {
  return Json::sax_parse(stream, this, nlohmann::json::input_format_t::json, false);
}

bool JsonEvents::parse_error(std::size_t position, const std::string&, const Json::exception& error) {
  fault_byte_ = position;
  return refuse(error.id == kNumberOutOfRange ? Fault::number : Fault::malformed);
}

bool JsonEvents::enter() { return ++depth_ <= kDeepestJson || refuse(Fault::depth); }

bool JsonEvents::leave() {
  --depth_;
  return true;
}

bool JsonEvents::refuse(Fault fault) {
  fault_ = fault;
  return false;
}

std::string JsonEvents::what() const {
  switch (fault_) {
    case Fault::none: break;
    case Fault::malformed: return "malformed";
    case Fault::number: return "a number that no double holds";
    case Fault::depth: return fmt::format("nested deeper than {} levels", kDeepestJson);
    case Fault::repeated_key: return "an object has a key twice";
  }
  return "nothing";
}

Json parse_untrusted_json(std::string_view text, std::string_view name) {
  ValueBuilder builder;
  if (builder.parse(text)) return builder.take();
  const std::string where =
      builder.fault_byte() == 0
          ? ""
          : fmt::format(
                "line {}, byte {}: ",
                1 + std::count(text.begin(),
                               text.begin() + static_cast<std::ptrdiff_t>(std::min(builder.fault_byte(), text.size())),
                               '\n'),
                builder.fault_byte());
  throw Error(ErrorKind::bad_data, fmt::format("{} is not JSON: {}{}", name, where, builder.what()));
}

Json read_untrusted_json(const std::filesystem::path& path) {
  return parse_untrusted_json(read_file(path), path_in_quotes(path));
}

}  // namespace chainrule::io::files
