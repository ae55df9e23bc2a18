#pragma once
#include <exception>
#include <stdexcept>
#include <string>

#include "pipeline/failure/exit_code.h"

namespace chainrule::pipeline::failure {

/// A failure with the exit code it ends in. The message names operation, file and place.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// A failure that every rank knows of (see agree() in pipeline/comm/agreement.h): one rank prints it, all return its
/// code.
class AgreedError : public Error {
 public:
  using Error::Error;
};

/// A mistake in what this rank alone may see, such as its host's environment: it speaks for itself, whatever the code.
class RankError : public Error {
 public:
  using Error::Error;
};

/// What any exception of io/, model/, pipeline/ or the standard library means for a person and for the shell.
struct Failure {
  ExitCode code = ExitCode::internal;
  std::string message;
};

/// Translates an exception into its message and exit code. The one place that knows every error type.
Failure describe(const std::exception_ptr& exception);

}  // namespace chainrule::pipeline::failure
