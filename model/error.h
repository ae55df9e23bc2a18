#pragma once
#include <stdexcept>

namespace chainrule::model {

/// A configuration that cannot be, or shapes that do not fit (a usage error where a person chose them).
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace chainrule::model
