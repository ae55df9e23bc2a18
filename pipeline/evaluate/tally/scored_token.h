#pragma once
#include <cstdint>
#include <optional>

#include "pipeline/comm/exact_sum.h"

namespace chainrule::pipeline::evaluate::tally {

/// What a baseline says of a token.
struct BaselineToken {
  double kl = 0;          ///< nats, of the baseline's distribution from the model's
  double nats = 0;        ///< its negative log-likelihood
  bool same_top = false;  ///< both have the same likeliest token
};

/// A token that was scored, and all that may be asked of it.
struct ScoredToken {
  std::uint64_t position = 0;         ///< in the stream
  std::uint64_t document = 0;         ///< index in the stream
  std::uint64_t document_tokens = 0;  ///< of the document, without the end-of-text
  std::uint16_t domain = 0;           ///< of the document
  std::uint32_t token = 0;            ///< id
  std::int64_t context = 0;           ///< tokens that it was predicted from, the start token included
  bool ends_document = false;         ///< it is its document's end-of-text
  std::uint64_t window = 0;           ///< index of the window that scores it
  std::int64_t window_scored = 0;     ///< tokens that this window scores

  double nats = 0;             ///< negative log-likelihood as it was computed
  comm::ExactSum nll;          ///< of this token alone, rounded once; counted apart where it is not finite
  float entropy_nats = 0;      ///< of the distribution that it was predicted with
  float top_probability = 0;   ///< of that distribution's likeliest token
  std::uint32_t likelier = 0;  ///< tokens that were likelier

  std::optional<BaselineToken> baseline;  ///< where the model is compared with one
};

}  // namespace chainrule::pipeline::evaluate::tally
