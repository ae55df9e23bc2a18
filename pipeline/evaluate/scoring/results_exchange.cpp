#include "pipeline/evaluate/scoring/results_exchange.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "pipeline/evaluate/journal/unit_result.h"

namespace chainrule::pipeline::evaluate::scoring {
namespace {

constexpr int kRecordTag = 1;
constexpr int kOrderTag = 2;
constexpr std::uint64_t kNoUnit = ~std::uint64_t{0};  // in a record's place: the last message of a rank
constexpr std::uint64_t kFinish = 1;
constexpr std::uint64_t kStop = 2;
constexpr std::size_t kMostOutgoing = 8;

void wait_for(comm::Transfer& transfer) { comm::wait_beside_computation(std::span(&transfer, 1), {}); }

/// A record of no tokens for no unit: `rank` says whether its sender stopped.
std::vector<std::byte> last_message(bool stopped) {
  journal::UnitResult last;
  last.unit = kNoUnit;
  last.resize(1);
  last.rank[0] = stopped ? 1 : 0;
  return journal::to_record(last);
}

}  // namespace

ResultsExchange::ResultsExchange(const comm::Communicator& communicator, std::uint64_t most_tokens, TakeRecord take)
    : communicator_(communicator), take_(std::move(take)) {
  if (communicator_.rank() != 0) {
    ordered_ = communicator_.receive(std::as_writable_bytes(std::span(&order_, 1)), 0, kOrderTag);
    return;
  }
  const std::size_t bytes = journal::record_bytes(std::max<std::uint64_t>(most_tokens, 1), true);
  for (int rank = 1; rank < communicator_.size(); ++rank) {
    incoming_.emplace_back();
    incoming_.back().rank = rank;
    incoming_.back().record.resize(bytes);
  }
  for (Incoming& from : incoming_) receive(from);
}

void ResultsExchange::receive(Incoming& from) {
  from.transfer = communicator_.receive(from.record, from.rank, kRecordTag);
}

void ResultsExchange::give(std::vector<std::byte> record) {
  if (communicator_.rank() == 0) {
    take_(record);
    return;
  }
  while (!outgoing_.empty() && outgoing_.front().transfer.done()) outgoing_.pop_front();
  if (outgoing_.size() == kMostOutgoing) {
    wait_for(outgoing_.front().transfer);
    outgoing_.pop_front();
  }
  outgoing_.push_back({std::move(record), {}});
  outgoing_.back().transfer = communicator_.send(outgoing_.back().record, 0, kRecordTag);
}

void ResultsExchange::collect() {
  for (Incoming& from : incoming_) {
    while (!from.ended && from.transfer.done()) {
      const journal::RecordHead head = journal::read_head(from.record);
      const auto record = std::span(from.record).first(journal::record_bytes(head.tokens, head.has_baseline));
      if (head.unit != kNoUnit) {
        take_(record);
        receive(from);
        continue;
      }
      from.ended = true;
      journal::UnitResult last;
      if (journal::read_record(record, last) && last.rank[0] != 0) stopped_ = true;
    }
  }
}

bool ResultsExchange::stop(bool asked) {
  stopped_ = stopped_ || asked;
  if (communicator_.rank() != 0) {
    if (ordered_.done() && order_ == kStop) stopped_ = true;
    return stopped_;
  }
  collect();
  if (stopped_) tell_all(kStop);
  return stopped_;
}

void ResultsExchange::tell_all(std::uint64_t order) {
  if (std::exchange(told_, true)) return;
  order_ = order;
  for (int rank = 1; rank < communicator_.size(); ++rank) {
    orders_.push_back(communicator_.send(std::as_bytes(std::span(&order_, 1)), rank, kOrderTag));
  }
}

bool ResultsExchange::finish() {
  if (communicator_.rank() != 0) {
    give(last_message(stopped_));
    for (Outgoing& each : outgoing_) wait_for(each.transfer);
    wait_for(ordered_);
    return order_ == kStop;
  }
  if (stopped_) tell_all(kStop);
  const auto ended = [](const Incoming& from) { return from.ended; };
  while (!std::all_of(incoming_.begin(), incoming_.end(), ended)) {
    collect();
    if (stopped_) tell_all(kStop);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  tell_all(stopped_ ? kStop : kFinish);
  for (comm::Transfer& order : orders_) wait_for(order);
  return order_ == kStop;
}

}  // namespace chainrule::pipeline::evaluate::scoring
