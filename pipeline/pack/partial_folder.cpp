#include "pipeline/pack/partial_folder.h"

#include <fmt/format.h>

#include <fstream>
#include <system_error>

#include "io/error.h"
#include "io/files/published_folder.h"
#include "pipeline/comm/agreement.h"

namespace chainrule::pipeline::pack {
namespace {

namespace fs = std::filesystem;

fs::path make_beside(const fs::path& output) {
  if (!io::files::is_free_for_folder(output)) {
    throw io::Error(io::ErrorKind::cannot_create,
                    fmt::format("'{}' is there already: name a new or empty folder", output.string()));
  }
  return io::files::make_folder_beside(output);
}

}  // namespace

PartialFolder::PartialFolder(const comm::Communicator& communicator, const fs::path& output)
    : communicator_(communicator), output_(io::files::folder_path(output)) {
  comm::agree_on_first(communicator, [&] { path_ = make_beside(output_); });
  path_ = communicator.broadcast(path_.string());
}

PartialFolder::~PartialFolder() {
  if (committed_ || communicator_.rank() != 0) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void PartialFolder::agree(const std::function<void()>& work) const {
  comm::agree(communicator_, [&] {
    try {
      work();
    } catch (...) {
      std::ofstream(path_ / "failed");
      throw;
    }
  });
}

bool PartialFolder::failed() const {
  std::error_code unseen_means_go_on;
  return fs::exists(path_ / "failed", unseen_means_go_on);
}

void PartialFolder::commit() {
  committed_ = true;  // whole: from here on it stays, wherever it is
  comm::agree_on_first(communicator_, [&] { io::files::publish_folder(path_, output_); });
}

}  // namespace chainrule::pipeline::pack
