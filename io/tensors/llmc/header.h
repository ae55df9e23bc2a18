#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/tensors/encoding.h"

namespace chainrule::io::tensors::llmc {

/// What the header of an llm.c model says (https://github.com/karpathy/llm.c, write_model of train_gpt2.py): 256 int32,
/// of which the first eight are used. A GPT-2 of feed-forward width 4 C.
struct Header {
  std::int32_t context = 0;     ///< T, positions
  std::int32_t vocabulary = 0;  ///< V
  std::int32_t layers = 0;      ///< L
  std::int32_t heads = 0;
  std::int32_t width = 0;              ///< C
  std::int32_t padded_vocabulary = 0;  ///< V_p, rows of wte; those from V on stand for nothing
  Encoding encoding = Encoding::f32;   ///< f32 (version 3) or bf16 (version 5)
  bool operator==(const Header&) const = default;
};

inline constexpr std::size_t kHeaderBytes = 1024;

/// One of GPT-2's tensors in the file: all layers' of a kind lie side by side. Matrices are [out, in].
struct Tensor {
  std::string name;  ///< llm.c's: "wte", "wpe", "h.3.ln1w", "h.3.qkvw", "lnfb"
  std::vector<std::int64_t> shape;
};

/// All tensors in the file's order; wte has all V_p rows.
std::vector<Tensor> tensors_of(const Header& header);

/// Reads and checks the header of a model, given whole: sizes above 0, V at most V_p, C a multiple of the heads, at
/// most kMostLayers layers, and the file just as long as its tensors take. `file_name` is what messages name, in
/// quotes. Throws Error bad_data.
Header parse_header(std::span<const std::byte> file, std::string_view file_name);
inline constexpr std::int32_t kMostLayers = 16'384;

/// The header's bytes.
std::string header_bytes(const Header& header);

}  // namespace chainrule::io::tensors::llmc
