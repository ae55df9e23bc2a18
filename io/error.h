#pragma once
#include <stdexcept>
#include <string>

namespace chainrule::io {

/// What went wrong with a file, in the terms that decide the exit code (sysexits.h numbers in
/// pipeline/failure/error.h).
enum class ErrorKind {
  bad_data,       ///< a file's content is damaged, or not what it should be (exit 65)
  missing_input,  ///< an input is missing or unreadable (exit 66)
  cannot_create,  ///< an output cannot be created, or is already there (exit 73)
  input_output,   ///< the system failed while reading or writing (exit 74)
};

/// Every failure of io/. The message names the operation, the file and the place in it, on_one_line (io/quote.h): what
/// a library quotes of a file stands in it as well.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message);
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace chainrule::io
