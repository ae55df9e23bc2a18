#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/shape/config.h"
#include "model/shape/description.h"
#include "model/shape/parameter.h"

namespace chainrule::model::shape {

/// Where each parameter lies in an arena, in the order in which backward finishes their gradients: an output layer of
/// its own, final norm, then the layers from the last to the first, then the embeddings (a tied head's gradient is
/// complete only there).
class ParameterTable {
 public:
  explicit ParameterTable(const Config& config);

  const Description& description() const { return description_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Elements of an arena; the few between parameters are padding, always zero.
  std::int64_t arena_size() const { return arena_size_; }
  /// Throws Error for a name that is not in the table. Not for hot loops: the roles below are.
  const Parameter& find(std::string_view name) const;
  /// Ranges to which weight decay applies, in arena order.
  std::vector<ParameterRange> decay_ranges() const;

  // Parameters by their role, padding included: those of blocks begin at the offset from which their parts count.
  ParameterRange ending() const { return ending_; }
  ParameterRange layer(std::int64_t layer) const { return layers_[static_cast<std::size_t>(layer)]; }
  ParameterRange position_embedding() const { return position_embedding_; }  ///< empty where there is none
  ParameterRange token_embedding() const { return token_embedding_; }
  /// What the output layer multiplies with.
  ParameterRange head() const { return head_; }

 private:
  ParameterRange add(Parameter parameter);
  ParameterRange add(const Block& block, std::string_view prefix);

  Description description_;
  std::vector<Parameter> parameters_;
  std::int64_t arena_size_ = 0;
  ParameterRange head_, ending_, position_embedding_, token_embedding_;
  std::vector<ParameterRange> layers_;
};

}  // namespace chainrule::model::shape
