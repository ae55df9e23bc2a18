#pragma once

namespace chainrule::pipeline::comm {

/// While one lives, the work of this process waits for other ranks.
class WaitForRanks {
 public:
  WaitForRanks();
  WaitForRanks(const WaitForRanks&) = delete;
  WaitForRanks& operator=(const WaitForRanks&) = delete;
  ~WaitForRanks();
};

/// Whether it does.
bool waits_for_ranks();

}  // namespace chainrule::pipeline::comm
