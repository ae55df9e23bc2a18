#include "io/tensors/gguf/tensor_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace chainrule::io::tensors::gguf {
namespace {

struct KnownType {
  std::uint32_t number;
  std::string_view name;
  BlockSize block;
};

constexpr std::array<KnownType, 34> kKnownTypes = {{
    {0, "F32", {1, 4}},         {1, "F16", {1, 2}},         {2, "Q4_0", {32, 18}},      {3, "Q4_1", {32, 20}},
    {6, "Q5_0", {32, 22}},      {7, "Q5_1", {32, 24}},      {8, "Q8_0", {32, 34}},      {9, "Q8_1", {32, 36}},
    {10, "Q2_K", {256, 84}},    {11, "Q3_K", {256, 110}},   {12, "Q4_K", {256, 144}},   {13, "Q5_K", {256, 176}},
    {14, "Q6_K", {256, 210}},   {15, "Q8_K", {256, 292}},   {16, "IQ2_XXS", {256, 66}}, {17, "IQ2_XS", {256, 74}},
    {18, "IQ3_XXS", {256, 98}}, {19, "IQ1_S", {256, 50}},   {20, "IQ4_NL", {32, 18}},   {21, "IQ3_S", {256, 110}},
    {22, "IQ2_S", {256, 82}},   {23, "IQ4_XS", {256, 136}}, {24, "I8", {1, 1}},         {25, "I16", {1, 2}},
    {26, "I32", {1, 4}},        {27, "I64", {1, 8}},        {28, "F64", {1, 8}},        {29, "IQ1_M", {256, 56}},
    {30, "BF16", {1, 2}},       {34, "TQ1_0", {256, 54}},   {35, "TQ2_0", {256, 66}},   {39, "MXFP4", {32, 17}},
    {40, "NVFP4", {64, 36}},    {41, "Q1_0", {128, 18}},
}};

std::optional<Encoding> encoding_of(std::uint32_t number) {
  switch (number) {
    case 0: return Encoding::f32;
    case 1: return Encoding::f16;
    case 2: return Encoding::q4_0;
    case 3: return Encoding::q4_1;
    case 8: return Encoding::q8_0;
    case 30: return Encoding::bf16;
    default: return std::nullopt;
  }
}

}  // namespace

TensorType tensor_type(std::uint32_t number) {
  const auto known = std::find_if(kKnownTypes.begin(), kKnownTypes.end(),
                                  [&](const KnownType& each) { return each.number == number; });
  if (known == kKnownTypes.end()) return {fmt::format("type {}", number), std::nullopt, std::nullopt};
  return {std::string(known->name), known->block, encoding_of(number)};
}

}  // namespace chainrule::io::tensors::gguf
