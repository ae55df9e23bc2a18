#include "io/tensors/safetensors/header_events.h"

#include <fmt/format.h>

#include <utility>

#include "io/quote.h"

namespace chainrule::io::tensors::safetensors {
namespace {
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kType = "dtype";
constexpr const char* kShape = "shape";
constexpr const char* kOffsets = "data_offsets";
}  // namespace

bool HeaderEvents::number_unsigned(number_unsigned_t value) {
  if (array_ == nullptr) return unexpected();
  if (value > std::uint64_t{INT64_MAX}) return wrong("holds a number beyond 2^63 - 1");
  array_->push_back(static_cast<std::int64_t>(value));
  return true;
}

bool HeaderEvents::string(string_t& value) {
  if (depth() != 2) return unexpected();
  if (entry_ == nullptr) return true;
  if (field_ != kType) return wrong(fmt::format("has a {} that is no array", in_quotes(field_)));
  entry_->type = value;
  return true;
}

bool HeaderEvents::key(string_t& name) { return depth() == 1 ? begin_entry(name) : begin_field(name); }

bool HeaderEvents::begin_entry(const std::string& name) {
  name_ = name;
  fields_.clear();
  entry_ = nullptr;
  if (name == kMetadata) return !std::exchange(has_metadata_, true) || wrong("is there twice");
  const auto [entry, fresh] = entries_.try_emplace(name);
  entry_ = &entry->second;
  return fresh || wrong("is there twice");
}

bool HeaderEvents::begin_field(const std::string& field) {
  field_ = field;
  if (!fields_.insert(field).second) return wrong(fmt::format("has {} twice", in_quotes(field)));
  if (entry_ == nullptr || field == kType || field == kShape || field == kOffsets) return true;
  return wrong(fmt::format("has {}, which is not known", in_quotes(field)));
}

bool HeaderEvents::start_object(std::size_t) { return depth() < 2 ? enter() : unexpected(); }

bool HeaderEvents::end_object() {
  if (depth() == 2 && entry_ != nullptr && fields_.size() != 3) {
    return wrong(fmt::format("lacks '{}', '{}' or '{}'", kType, kShape, kOffsets));
  }
  return leave();
}

bool HeaderEvents::start_array(std::size_t) {
  if (depth() != 2 || entry_ == nullptr) return unexpected();
  if (field_ == kType) return wrong("has a 'dtype' that is no string");
  array_ = &(field_ == kShape ? entry_->shape : entry_->data_offsets).emplace();
  return enter();
}

bool HeaderEvents::end_array() {
  if (field_ == kOffsets && array_->size() != 2) return wrong("has other 'data_offsets' than a begin and an end");
  array_ = nullptr;
  return leave();
}

bool HeaderEvents::wrong(const std::string& what) {
  problem_ = depth() == 0 ? "is no object" : fmt::format("{} {}", in_quotes(name_), what);
  return false;
}

}  // namespace chainrule::io::tensors::safetensors
