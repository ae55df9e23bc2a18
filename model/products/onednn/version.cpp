#include "model/products/onednn/version.h"

#include <fmt/format.h>

#include <oneapi/dnnl/dnnl.hpp>

namespace chainrule::model::products::onednn {

std::string onednn_version() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

std::string onednn_instruction_set() {
  const auto isa = dnnl::get_effective_cpu_isa();
  switch (isa) {  // the names that oneDNN 2.6 and 3.x share
    case dnnl::cpu_isa::sse41: return "sse4.1";
    case dnnl::cpu_isa::avx: return "avx";
    case dnnl::cpu_isa::avx2: return "avx2";
    case dnnl::cpu_isa::avx2_vnni: return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core: return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni: return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16: return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_amx: return "avx512_core_amx";
    default: return fmt::format("oneDNN instruction set {:#x}", static_cast<unsigned>(isa));
  }
}

}  // namespace chainrule::model::products::onednn
