#pragma once
#include <cstdint>
#include <string_view>

#include "pipeline/comm/exact_sum.h"
#include "pipeline/evaluate/tally/wire.h"

namespace chainrule::pipeline::evaluate::tally {

/// A token that was scored, and all that may be asked of it.
struct ScoredToken {
  std::uint64_t position = 0;  ///< in the stream
  std::uint64_t document = 0;  ///< index in the stream
  std::uint16_t domain = 0;    ///< of the document
  std::uint32_t token = 0;     ///< id
  std::int64_t context = 0;    ///< tokens that it was predicted from, the start token included
  bool ends_document = false;  ///< it is its document's end-of-text
  comm::ExactSum nll;          ///< of this token alone, rounded once; counted apart where it is not finite
};

/// What sums up scored tokens by one of their properties. Sums are integers, so that parts merge in any order to the
/// same bytes.
class TokenSink {
 public:
  virtual ~TokenSink() = default;

  /// Of its section among the bytes of a result.
  virtual std::string_view name() const = 0;
  virtual void add(const ScoredToken& token) = 0;
  /// Its sums; equal sums are equal bytes.
  virtual void write(WireWriter& out) const = 0;
  /// Adds the sums that write() of another one wrote. Throws io::Error bad_data for what it cannot have written; then
  /// some of it may have been added.
  virtual void merge(WireReader& in) = 0;
};

}  // namespace chainrule::pipeline::evaluate::tally
