#include "pipeline/comm/wait.h"

#include <atomic>

namespace chainrule::pipeline::comm {
namespace {
std::atomic<int> waiting = 0;
}  // namespace

WaitForRanks::WaitForRanks() { ++waiting; }
WaitForRanks::~WaitForRanks() { --waiting; }

bool waits_for_ranks() { return waiting != 0; }

}  // namespace chainrule::pipeline::comm
