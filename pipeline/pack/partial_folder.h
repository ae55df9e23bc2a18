#pragma once
#include <filesystem>
#include <functional>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::pack {

/// The folder beside an output in which ranks write it, OUTPUT.partial-N, until it is whole. Seen by all ranks.
class PartialFolder {
 public:
  /// Rank 0 makes it. Throws AgreedError cannot_create where output is there and not an empty folder, or where nothing
  /// can be made beside it. Collective.
  PartialFolder(const comm::Communicator& communicator, const std::filesystem::path& output);
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  /// Rank 0 removes what was not committed; by then every rank has left it (failures are agreed).
  ~PartialFolder();

  const std::filesystem::path& path() const { return path_; }

  /// Runs work on every rank as agree() does; where one fails, the others learn of it by failed() and can stop early.
  void agree(const std::function<void()>& work) const;
  bool failed() const;

  /// Renames it to the output. Collective.
  void commit();

 private:
  const comm::Communicator& communicator_;
  std::filesystem::path output_;
  std::filesystem::path path_;
  bool committed_ = false;
};

}  // namespace chainrule::pipeline::pack
