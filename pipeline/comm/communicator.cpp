#include "pipeline/comm/communicator.h"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "pipeline/comm/call.h"
#include "pipeline/comm/communicator_state.h"
#include "pipeline/comm/gather_layout.h"
#include "pipeline/comm/wait.h"

namespace chainrule::pipeline::comm {

namespace {

/// Until `look` says that it is over.
template <typename Look>
void look_now_and_then(const std::stop_token& stop, const Look& look) {
  // Short waits are soon over; during long ones every look costs those who compute.
  constexpr std::chrono::microseconds kLongest(500);
  std::chrono::microseconds between_looks(20);
  while (!look()) {
    if (stop.stop_requested()) throw std::runtime_error("a transfer was stopped");
    std::this_thread::sleep_for(between_looks);
    between_looks = std::min(2 * between_looks, kLongest);
  }
}

/// Until the request is met, as the communicator waits.
void finish(const std::optional<std::stop_token>& beside_computation, MPI_Request request) {
  if (!beside_computation) {
    const WaitForRanks wait;
    return check_mpi(MPI_Wait(&request, MPI_STATUS_IGNORE), "MPI_Wait");
  }
  look_now_and_then(*beside_computation, [&] {
    int done = 0;
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  });
}

/// In place, element-wise.
void reduce(MPI_Comm ranks, const std::optional<std::stop_token>& beside_computation, std::span<std::int64_t> values,
            MPI_Op operation) {
  const auto count = static_cast<int>(values.size());
  if (!beside_computation) {
    const WaitForRanks wait;
    return check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(), count, MPI_INT64_T, operation, ranks), "MPI_Allreduce");
  }
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values.data(), count, MPI_INT64_T, operation, ranks, &request),
            "MPI_Iallreduce");
  finish(beside_computation, request);
}

constexpr std::size_t kLargestPiece = std::size_t{1} << 30U;  // MPI counts are int

/// A run of so many bytes as one element of MPI's.
class ByteRun {
 public:
  explicit ByteRun(std::size_t bytes) {
    check_mpi(MPI_Type_contiguous(static_cast<int>(bytes), MPI_BYTE, &type_), "MPI_Type_contiguous");
    check_mpi(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  ByteRun(const ByteRun&) = delete;
  ByteRun& operator=(const ByteRun&) = delete;
  ~ByteRun() { MPI_Type_free(&type_); }  // what is under way keeps what it needs of it
  MPI_Datatype get() const { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

/// More bytes than an int counts, as one element.
class LongRun {
 public:
  explicit LongRun(std::size_t bytes) {
    const ByteRun piece(kLargestPiece);
    const std::size_t rest = bytes % kLargestPiece;
    const int lengths[] = {static_cast<int>(bytes / kLargestPiece), static_cast<int>(rest)};
    const MPI_Aint places[] = {0, static_cast<MPI_Aint>(bytes - rest)};
    const MPI_Datatype types[] = {piece.get(), MPI_BYTE};
    check_mpi(MPI_Type_create_struct(2, lengths, places, types, &type_), "MPI_Type_create_struct");
    check_mpi(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  LongRun(const LongRun&) = delete;
  LongRun& operator=(const LongRun&) = delete;
  ~LongRun() { MPI_Type_free(&type_); }
  MPI_Datatype get() const { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

/// call(count, type) for so many bytes.
template <class Call>
void with_bytes(std::size_t bytes, const Call& call) {
  if (bytes <= kLargestPiece) return call(static_cast<int>(bytes), MPI_BYTE);
  const LongRun run(bytes);
  call(1, run.get());
}

}  // namespace

struct Transfer::State {
  MPI_Request request = MPI_REQUEST_NULL;
  GatherLayout layout{{}};  // of an all-gather: it must live as long as that
};

Transfer::Transfer() = default;
Transfer::Transfer(Transfer&&) noexcept = default;
Transfer& Transfer::operator=(Transfer&&) noexcept = default;
Transfer::~Transfer() = default;

bool Transfer::done() {
  int done = 1;
  if (state_) check_mpi(MPI_Test(&state_->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  return done != 0;
}

void wait_beside_computation(std::span<Transfer> transfers, const std::stop_token& stop) {
  for (Transfer& transfer : transfers) look_now_and_then(stop, [&] { return transfer.done(); });
}

Communicator::State::State(MPI_Comm of) {
  check_mpi(MPI_Comm_dup(of, &handle), "MPI_Comm_dup");
  check_mpi(MPI_Comm_rank(handle, &rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(handle, &size), "MPI_Comm_size");
}

Communicator::State::~State() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  // Freeing is collective: on the way out of a failure the other ranks may never come.
  if (finalized == 0 && std::uncaught_exceptions() == 0) MPI_Comm_free(&handle);
}

Communicator::Communicator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Communicator::Communicator(Communicator&&) noexcept = default;
Communicator& Communicator::operator=(Communicator&&) noexcept = default;
Communicator::~Communicator() = default;

int Communicator::rank() const { return state_->rank; }
int Communicator::size() const { return state_->size; }

Communicator Communicator::duplicate() const { return Communicator(std::make_unique<State>(state_->handle)); }

Communicator Communicator::duplicate_beside_computation(std::stop_token stop) const {
  Communicator other = duplicate();
  other.state_->beside_computation = std::move(stop);
  return other;
}

void Communicator::barrier() const {
  if (!state_->beside_computation) {
    const WaitForRanks wait;
    return check_mpi(MPI_Barrier(state_->handle), "MPI_Barrier");
  }
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(state_->handle, &request), "MPI_Ibarrier");
  finish(state_->beside_computation, request);
}

void Communicator::sum(std::span<std::int64_t> values) const {
  for (std::size_t at = 0; at < values.size(); at += kLargestPiece) {
    reduce(state_->handle, state_->beside_computation, values.subspan(at, std::min(kLargestPiece, values.size() - at)),
           MPI_SUM);
  }
}

std::int64_t Communicator::maximum(std::int64_t value) const {
  reduce(state_->handle, state_->beside_computation, {&value, 1}, MPI_MAX);
  return value;
}

std::int64_t Communicator::minimum(std::int64_t value) const {
  reduce(state_->handle, state_->beside_computation, {&value, 1}, MPI_MIN);
  return value;
}

void Communicator::broadcast(std::span<std::byte> values) const {
  for (std::size_t at = 0; at < values.size(); at += kLargestPiece) {
    const auto piece = values.subspan(at, std::min(kLargestPiece, values.size() - at));
    const auto count = static_cast<int>(piece.size());
    if (!state_->beside_computation) {
      const WaitForRanks wait;
      check_mpi(MPI_Bcast(piece.data(), count, MPI_BYTE, 0, state_->handle), "MPI_Bcast");
      continue;
    }
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibcast(piece.data(), count, MPI_BYTE, 0, state_->handle, &request), "MPI_Ibcast");
    finish(state_->beside_computation, request);
  }
}

std::string Communicator::broadcast(const std::string& text) const {
  auto length = static_cast<std::uint64_t>(text.size());
  broadcast(std::as_writable_bytes(std::span(&length, 1)));
  std::string copy = rank() == 0 ? text : std::string(length, '\0');
  broadcast(std::as_writable_bytes(std::span(copy)));
  return copy;
}

std::vector<std::vector<std::byte>> Communicator::gather(std::span<const std::byte> values) const {
  const auto mine = static_cast<std::uint64_t>(values.size());
  std::vector<std::uint64_t> lengths(rank() == 0 ? static_cast<std::size_t>(size()) : 0);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Igather(&mine, 1, MPI_UINT64_T, lengths.data(), 1, MPI_UINT64_T, 0, state_->handle, &request),
            "MPI_Igather");
  finish(state_->beside_computation, request);
  constexpr int kTag = 1;
  std::vector<std::vector<std::byte>> all;
  if (rank() != 0) {
    for (std::size_t at = 0; at < values.size(); at += kLargestPiece) {
      const auto piece = values.subspan(at, std::min(kLargestPiece, values.size() - at));
      check_mpi(MPI_Isend(piece.data(), static_cast<int>(piece.size()), MPI_BYTE, 0, kTag, state_->handle, &request),
                "MPI_Isend");
      finish(state_->beside_computation, request);
    }
    return all;
  }
  all.resize(static_cast<std::size_t>(size()));
  all[0].assign(values.begin(), values.end());
  for (int from = 1; from < size(); ++from) {
    auto& bytes = all[static_cast<std::size_t>(from)];
    bytes.resize(lengths[static_cast<std::size_t>(from)]);
    for (std::size_t at = 0; at < bytes.size(); at += kLargestPiece) {
      const auto count = static_cast<int>(std::min(kLargestPiece, bytes.size() - at));
      check_mpi(MPI_Irecv(bytes.data() + at, count, MPI_BYTE, from, kTag, state_->handle, &request), "MPI_Irecv");
      finish(state_->beside_computation, request);
    }
  }
  return all;
}

std::vector<std::vector<std::byte>> Communicator::all_gather(std::span<const std::byte> values) const {
  auto all = gather(values);
  all.resize(static_cast<std::size_t>(size()));
  for (auto& bytes : all) {
    auto length = static_cast<std::uint64_t>(bytes.size());
    broadcast(std::as_writable_bytes(std::span(&length, 1)));
    bytes.resize(length);
    broadcast(std::span(bytes));
  }
  return all;
}

void Communicator::all_gather_in_place(std::span<std::byte> whole, std::span<const std::size_t> part_bytes) const {
  const GatherLayout layout(part_bytes);
  const ByteRun unit(layout.unit_bytes);
  const WaitForRanks wait;
  check_mpi(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, whole.data(), layout.counts.data(),
                           layout.offsets.data(), layout.unit_bytes == 1 ? MPI_BYTE : unit.get(), state_->handle),
            "MPI_Allgatherv");
}

Transfer Communicator::begin_all_gather(std::span<std::byte> whole, std::span<const std::size_t> part_bytes) const {
  Transfer transfer;
  transfer.state_ = std::make_unique<Transfer::State>();
  transfer.state_->layout = GatherLayout(part_bytes);
  const GatherLayout& layout = transfer.state_->layout;
  const ByteRun unit(layout.unit_bytes);
  check_mpi(
      MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, whole.data(), layout.counts.data(), layout.offsets.data(),
                      layout.unit_bytes == 1 ? MPI_BYTE : unit.get(), state_->handle, &transfer.state_->request),
      "MPI_Iallgatherv");
  return transfer;
}

Transfer Communicator::send(std::span<const std::byte> values, int to, int tag) const {
  Transfer transfer;
  transfer.state_ = std::make_unique<Transfer::State>();
  with_bytes(values.size(), [&](int count, MPI_Datatype type) {
    check_mpi(MPI_Isend(values.data(), count, type, to, tag, state_->handle, &transfer.state_->request), "MPI_Isend");
  });
  return transfer;
}

Transfer Communicator::receive(std::span<std::byte> values, int from, int tag) const {
  Transfer transfer;
  transfer.state_ = std::make_unique<Transfer::State>();
  with_bytes(values.size(), [&](int count, MPI_Datatype type) {
    check_mpi(MPI_Irecv(values.data(), count, type, from, tag, state_->handle, &transfer.state_->request), "MPI_Irecv");
  });
  return transfer;
}

}  // namespace chainrule::pipeline::comm
