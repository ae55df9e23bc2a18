#pragma once
#include <cstdint>

#include "io/tokens/document_table.h"
#include "pipeline/windows/window.h"

namespace chainrule::pipeline::windows::protocol {

/// Each document's windows as kDocument says, N and S of any size.
class RollingCursor final : public WindowCursor {
 public:
  RollingCursor(std::int64_t context_length, std::int64_t stride, const io::tokens::DocumentTable& documents)
      : longest_(static_cast<std::uint64_t>(context_length)),
        stride_(static_cast<std::uint64_t>(stride)),
        documents_(documents) {}

  bool next(Window& window) override;

 private:
  std::uint64_t longest_;
  std::uint64_t stride_;
  io::tokens::DocumentTable documents_;
  std::uint64_t document_ = 0;  ///< the document in work
  std::uint64_t done_ = 0;      ///< of its tokens, scored so far
};

}  // namespace chainrule::pipeline::windows::protocol
