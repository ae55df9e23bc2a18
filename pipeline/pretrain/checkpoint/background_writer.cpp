#include "pipeline/pretrain/checkpoint/background_writer.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <ctime>

namespace chainrule::pipeline::pretrain::checkpoint {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Where every core computes, the thread gets a thirtieth of one, so that a step takes a tenth longer at most, what it
/// does to caches included; where training waits for it, all. Weights of nice values: 1024 for 0, 36 for 15.
void leave_the_processor_to_others() {
  constexpr int kNice = 15;
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
}

/// Into memory that is taken at the first time.
std::span<float> copy(std::span<const float> values, model::Arena& into) {
  const auto elements = static_cast<std::int64_t>(values.size());
  if (into.size() != elements) into = model::Arena(elements);
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < elements; ++i) into.data()[i] = values[static_cast<std::size_t>(i)];
  return into.span();
}

void copy(optimizer::OwnedState& state, std::vector<model::Arena>& into) {
  into.resize(state.slots.size());
  for (std::size_t i = 0; i < into.size(); ++i) state.slots[i].values = copy(state.slots[i].values, into[i]);
}

}  // namespace

BackgroundWriter::BackgroundWriter(const comm::Communicator& communicator, const CheckpointContext& context)
    : communicator_(communicator.duplicate_beside_computation(stop_.get_token())), context_(context) {}

BackgroundWriter::~BackgroundWriter() { stop_.request_stop(); }

Snapshot BackgroundWriter::copied(const Snapshot& snapshot) {
  Snapshot copies = snapshot;
  // Those of other ranks are the same, and are not written.
  copies.parameters = communicator_.rank() == 0 ? copy(snapshot.parameters, parameters_) : std::span<float>();
  copy(copies.optimizer, slots_);
  copy(copies.average, average_);
  return copies;
}

void BackgroundWriter::begin(const Snapshot& snapshot) {
  const Clock::time_point start = Clock::now();
  under_way_ = true;
  ended_ = false;
  ticket_ = worker_.queue([this, start, copies = copied(snapshot)](const std::stop_token&) {
    leave_the_processor_to_others();
    const double before = thread_seconds();
    const auto end = [&] {
      seconds_ = seconds_since(start);
      processor_seconds_ = thread_seconds() - before;
      ended_ = true;
    };
    try {
      write_checkpoint(communicator_, context_, copies);
    } catch (...) {
      end();
      throw;
    }
    end();
  });
}

void BackgroundWriter::finish() {
  if (!under_way_) return;
  under_way_ = false;
  worker_.wait(ticket_);
}

}  // namespace chainrule::pipeline::pretrain::checkpoint
