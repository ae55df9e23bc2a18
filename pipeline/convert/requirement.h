#pragma once
#include <fmt/format.h>

#include <string>

#include "io/error.h"

namespace chainrule::pipeline::convert {

/// Refuses a model by the name of a field, as model.json has it, that the format cannot say.
class Requirement {
 public:
  /// format: "an llm.c model"
  explicit Requirement(std::string format) : format_(std::move(format)) {}

  template <class Value>
  [[noreturn]] void refuse(const char* field, const Value& value) const {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("{} cannot express the model's {} of {}", format_, field, value));
  }
  template <class Value>
  void require(bool holds, const char* field, const Value& value) const {
    if (!holds) refuse(field, value);
  }

 private:
  std::string format_;
};

}  // namespace chainrule::pipeline::convert
