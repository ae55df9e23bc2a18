#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>

#include "model/ops/batch.h"
#include "model/ops/ops.h"

namespace chainrule::tests {

/// One of the implementations of Ops, with the relative L2 error its results may have against float64.
struct OpsUnderTest {
  std::string name;
  std::unique_ptr<model::ops::Ops> (*make)();
  double tolerance;
};

inline void PrintTo(const OpsUnderTest& ops, std::ostream* stream) { *stream << ops.name; }

/// The plain loops round once, the fast ones sum in float32.
inline const OpsUnderTest kReferenceOps{"reference", [] { return model::ops::make_reference_ops(); }, 2e-7};
inline const OpsUnderTest kFastOps{"fast", [] { return model::ops::make_fast_ops(model::products::Math::float32); },
                                   5e-6};
/// The fast ones where they are not this project's own.
inline const OpsUnderTest kOneDnnOps{"onednn",
                                     [] { return model::ops::make_onednn_ops(model::products::Math::float32); }, 5e-6};
/// Inputs rounded to 8 significant bits where the processor has such products; elsewhere the same as fast.
inline const OpsUnderTest kBf16Ops{"bf16", [] { return model::ops::make_fast_ops(model::products::Math::bf16); }, 1e-2};

/// Names a case of (OpsUnderTest, shape) after both.
struct CaseName {
  template <typename Case>
  std::string operator()(const testing::TestParamInfo<Case>& info) const {
    return std::get<0>(info.param).name + "_" + testing::PrintToString(std::get<1>(info.param));
  }
};

}  // namespace chainrule::tests
