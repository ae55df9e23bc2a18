#include "io/files/verified_output.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::io::files {

void VerifiedOutput::write(std::string_view bytes) {
  output_.write(bytes);
  digest_.update(bytes.data(), bytes.size());
}

void VerifiedOutput::commit() {
  output_.sync();
  if (file_digest(output_.beside()) != digest_.hexadecimal()) {
    throw Error(ErrorKind::input_output,
                fmt::format("{} does not read back as it was written", path_in_quotes(output_.beside())));
  }
  output_.commit();
}

}  // namespace chainrule::io::files
