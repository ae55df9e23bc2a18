#include "io/error.h"

#include <stdexcept>

namespace chainrule::io {

Error::Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

}  // namespace chainrule::io
