#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace chainrule::pipeline::comm {

/// A pending transfer: until it is done its buffer stays in place.
class Transfer {
 public:
  Transfer();
  Transfer(Transfer&&) noexcept;
  Transfer& operator=(Transfer&&) noexcept;
  ~Transfer();
  /// Whether it is over; looking moves it on.
  bool done();

 private:
  friend class Communicator;
  struct State;
  std::unique_ptr<State> state_;
};

/// Until all are done, sleeping between looks so that the processor is left to those who compute. Throws
/// std::runtime_error when stopped first; the buffers must then stay until the process ends.
void wait_beside_computation(std::span<Transfer> transfers, const std::stop_token& stop);

/// What ranks say to each other: the few operations chainrule needs, on a communicator of its own. Every call is
/// collective over the ranks unless said. Failures inside MPI end the job (MPI_ERRORS_ARE_FATAL).
class Communicator {
 public:
  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;
  ~Communicator();

  int rank() const;
  int size() const;

  /// A communicator with the same ranks whose messages never meet this one's.
  Communicator duplicate() const;
  /// The same for a thread beside those that compute: its barrier, sum, maximum, minimum, broadcast and gather sleep
  /// between looks at what they wait for, and throw std::runtime_error once stopped: the process must then end.
  Communicator duplicate_beside_computation(std::stop_token stop) const;

  void barrier() const;
  /// Element-wise over ranks; the result on every rank.
  void sum(std::span<std::int64_t> values) const;
  std::int64_t maximum(std::int64_t value) const;
  std::int64_t minimum(std::int64_t value) const;
  /// values of rank 0 to every rank; all spans have the same size.
  void broadcast(std::span<std::byte> values) const;
  std::string broadcast(const std::string& text) const;
  /// Every rank's bytes (of any length) on rank 0, in rank order; empty elsewhere.
  std::vector<std::vector<std::byte>> gather(std::span<const std::byte> values) const;
  /// Every rank's bytes (of any length) on every rank, in rank order.
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> values) const;
  /// whole is the parts of all ranks side by side, part r of part_bytes[r] bytes (all below 2^31); each rank comes with
  /// its own part filled in and leaves with all of them.
  void all_gather_in_place(std::span<std::byte> whole, std::span<const std::size_t> part_bytes) const;

  /// The same, begun: whole stays in place until the transfer is done. Collective, in the same order on every rank.
  [[nodiscard]] Transfer begin_all_gather(std::span<std::byte> whole, std::span<const std::size_t> part_bytes) const;

  /// Point to point, not collective. Counts are bytes below 2^31. Spans stay in place until done.
  [[nodiscard]] Transfer send(std::span<const std::byte> values, int to, int tag) const;
  [[nodiscard]] Transfer receive(std::span<std::byte> values, int from, int tag) const;

 private:
  friend class Session;
  struct State;
  explicit Communicator(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace chainrule::pipeline::comm
