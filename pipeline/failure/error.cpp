#include "pipeline/failure/error.h"

#include <filesystem>
#include <new>

#include "io/error.h"
#include "model/error.h"

namespace chainrule::pipeline::failure {
namespace {

ExitCode code_of(io::ErrorKind kind) {
  switch (kind) {
    case io::ErrorKind::bad_data: return ExitCode::bad_data;
    case io::ErrorKind::missing_input: return ExitCode::missing_input;
    case io::ErrorKind::cannot_create: return ExitCode::cannot_create;
    case io::ErrorKind::input_output: return ExitCode::input_output;
  }
  return ExitCode::internal;
}

}  // namespace

Failure describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const io::Error& error) {
    return {code_of(error.kind()), error.what()};
  } catch (const model::Error& error) {
    return {ExitCode::usage, error.what()};
  } catch (const std::filesystem::filesystem_error& error) {
    return {ExitCode::input_output, error.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::out_of_memory, "out of memory"};
  } catch (const std::exception& error) {
    return {ExitCode::internal, std::string("internal error: ") + error.what()};
  } catch (...) {
    return {ExitCode::internal, "internal error of unknown type"};
  }
}

}  // namespace chainrule::pipeline::failure
