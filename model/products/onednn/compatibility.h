#pragma once
// The one header that knows oneDNN 2.x from 3.x: 3.0 dropped operation descriptors.
#include <oneapi/dnnl/dnnl.hpp>

namespace chainrule::model::products::onednn {

/// Describes C = A B (+ bias) for a matmul primitive; bias may be null.
inline dnnl::matmul::primitive_desc describe_matmul(const dnnl::engine& engine, const dnnl::memory::desc& a,
                                                    const dnnl::memory::desc& b, const dnnl::memory::desc* bias,
                                                    const dnnl::memory::desc& c,
                                                    const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return bias != nullptr ? dnnl::matmul::primitive_desc(engine, a, b, *bias, c, attributes)
                         : dnnl::matmul::primitive_desc(engine, a, b, c, attributes);
#else
  const auto operation = bias != nullptr ? dnnl::matmul::desc(a, b, *bias, c) : dnnl::matmul::desc(a, b, c);
  return dnnl::matmul::primitive_desc(operation, attributes, engine);
#endif
}

}  // namespace chainrule::model::products::onednn
