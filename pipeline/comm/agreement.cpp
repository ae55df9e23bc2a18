#include "pipeline/comm/agreement.h"

#include <fmt/format.h>

#include <exception>

#include "pipeline/failure/error.h"

namespace chainrule::pipeline::comm {

void agree(const Communicator& communicator, const std::function<void()>& work) {
  failure::Failure failure;
  bool failed = false;
  try {
    work();
  } catch (...) {
    failure = failure::describe(std::current_exception());
    failed = true;
  }
  const std::int64_t lowest = communicator.minimum(failed ? communicator.rank() : communicator.size());
  if (lowest == communicator.size()) return;
  std::string said;
  if (communicator.rank() == lowest) said = fmt::format("{}\n{}", static_cast<int>(failure.code), failure.message);
  const auto all = communicator.all_gather(std::as_bytes(std::span(said)));
  const auto& bytes = all[static_cast<std::size_t>(lowest)];
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t cut = text.find('\n');
  std::string message = text.substr(cut + 1);
  if (lowest != 0) message = fmt::format("rank {}: {}", lowest, message);
  throw failure::AgreedError(static_cast<failure::ExitCode>(std::stoi(text.substr(0, cut))), message);
}

void agree_on_first(const Communicator& communicator, const std::function<void()>& work) {
  agree(communicator, [&] {
    if (communicator.rank() == 0) work();
  });
}

void require_same(const Communicator& communicator, failure::ExitCode code, std::string_view what,
                  const std::string& value) {
  const std::string first = communicator.broadcast(value);
  agree(communicator, [&] {
    if (value == first) return;
    throw failure::Error(code, fmt::format("ranks differ in {}: '{}' here, '{}' on rank 0; results would depend on "
                                           "which rank computes what",
                                           what, value, first));
  });
}

}  // namespace chainrule::pipeline::comm
