#include "io/error.h"

#include <stdexcept>

#include "io/quote.h"

namespace chainrule::io {

Error::Error(ErrorKind kind, const std::string& message) : std::runtime_error(on_one_line(message)), kind_(kind) {}

}  // namespace chainrule::io
