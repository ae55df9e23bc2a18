#include "pipeline/models/external/tensor_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "io/error.h"
#include "io/files/digest.h"
#include "io/quote.h"

namespace chainrule::pipeline::models::external {
namespace {

using io::tensors::StoredTensor;
using model::shape::Parameter;
using model::weights::StoredMatrix;

model::weights::Encoding encoding_of(io::tensors::Encoding encoding) {
  switch (encoding) {
    case io::tensors::Encoding::f32: return model::weights::Encoding::f32;
    case io::tensors::Encoding::f16: return model::weights::Encoding::f16;
    case io::tensors::Encoding::bf16: return model::weights::Encoding::bf16;
    case io::tensors::Encoding::q8_0: return model::weights::Encoding::q8_0;
    case io::tensors::Encoding::q4_0: return model::weights::Encoding::q4_0;
    case io::tensors::Encoding::q4_1: break;
  }
  return model::weights::Encoding::q4_1;
}

/// The tensor of a piece, whose shape must be that of these rows of the parameter.
StoredTensor tensor_of(const io::tensors::StoredTensors& tensors, const Parameter& parameter, const Piece& piece,
                       const std::string& path) {
  StoredTensor tensor = tensors.tensor(piece.tensor);
  std::vector<std::int64_t> expected = {piece.rows};
  if (parameter.is_matrix()) expected.push_back(parameter.shape[1]);
  if (piece.transposed) std::swap(expected[0], expected[1]);
  if (tensor.shape == expected) return tensor;
  throw io::Error(io::ErrorKind::bad_data,
                  fmt::format("{}: the tensor {} has shape [{}], the model's configuration asks for [{}]", path,
                              io::in_quotes(piece.tensor), fmt::join(tensor.shape, ", "), fmt::join(expected, ", ")));
}

StoredMatrix matrix_of(const StoredTensor& tensor, const Parameter& parameter, const Piece& piece) {
  return {.encoding = encoding_of(tensor.encoding),
          .rows = piece.rows,
          .columns = parameter.shape[1],
          .data = tensor.bytes.data(),
          .transposed = piece.transposed,
          .alternating = piece.alternating};
}

/// Appends a tensor's elements, in float32 and in our order.
void append_values(const StoredTensor& tensor, const Parameter& parameter, const Piece& piece,
                   std::vector<float>& values) {
  const std::int64_t columns = parameter.is_matrix() ? parameter.shape[1] : 1;
  const auto at = values.size();
  values.resize(at + static_cast<std::size_t>(piece.rows * columns));
  if (parameter.is_matrix()) {
    matrix_of(tensor, parameter, piece).decode_rows(0, piece.rows, 0, columns, values.data() + at, columns);
  } else {
    const StoredMatrix elements{.encoding = encoding_of(tensor.encoding),
                                .rows = piece.alternating == 0 ? 1 : piece.rows,
                                .columns = piece.alternating == 0 ? piece.rows : 1,
                                .data = tensor.bytes.data(),
                                .alternating = piece.alternating};
    elements.decode_rows(0, elements.rows, 0, elements.columns, values.data() + at, elements.columns);
  }
}

/// Whether the decoder multiplies with it or looks up its rows where it lies; others become float32.
bool stays(const Parameter& parameter, const model::shape::ParameterTable& table) {
  return parameter.in_products || parameter.offset == table.token_embedding().begin;
}

}  // namespace

model::weights::StoredWeights store_weights(const io::tensors::StoredTensors& tensors,
                                            const model::shape::ParameterTable& table, const TensorMap& map,
                                            const std::string& path) {
  model::weights::StoredWeights weights;
  for (const Parameter& parameter : table.parameters()) {
    std::vector<StoredMatrix> matrices;
    std::vector<float> values;
    for (const Piece& piece : map.at(parameter.name)) {
      const StoredTensor tensor = tensor_of(tensors, parameter, piece, path);
      if (stays(parameter, table)) {
        matrices.push_back(matrix_of(tensor, parameter, piece));
      } else {
        append_values(tensor, parameter, piece, values);
      }
    }
    if (stays(parameter, table)) {
      weights.put_matrix(parameter.offset, std::move(matrices));
    } else {
      weights.put_vector(parameter.offset, std::move(values));
    }
  }
  return weights;
}

void require_tensors_for(std::int64_t layers, const io::tensors::StoredTensors& tensors, const std::string& path) {
  const std::size_t count = tensors.names().size();
  if (std::cmp_less_equal(layers, count)) return;
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: has {} tensors for {} layers", path, count, layers));
}

void require_all_used(const io::tensors::StoredTensors& tensors, const TensorMap& map,
                      const std::function<bool(std::string_view)>& may_be_there, const std::string& path) {
  std::set<std::string> used;
  for (const auto& [ours, pieces] : map) {
    for (const Piece& piece : pieces) used.insert(piece.tensor);
  }
  for (const std::string& name : tensors.names()) {
    if (used.contains(name) || may_be_there(name)) continue;
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("{}: the tensor {} has no place in the model that the configuration describes", path,
                                io::in_quotes(name)));
  }
}

void require_same_tensor(const io::tensors::StoredTensors& tensors, const std::string& head,
                         const std::string& embedding, const std::string& path) {
  const StoredTensor one = tensors.tensor(head);
  const StoredTensor other = tensors.tensor(embedding);
  if (one.encoding == other.encoding && std::ranges::equal(one.bytes, other.bytes)) return;
  throw io::Error(
      io::ErrorKind::bad_data,
      fmt::format("{}: the head is tied to the token embedding '{}', but '{}' differs from it", path, embedding, head));
}

std::string hash_of(const io::tensors::StoredTensors& tensors, const model::shape::ParameterTable& table,
                    const TensorMap& map) {
  io::files::Digest digest;
  for (const Parameter& parameter : table.parameters()) {
    for (const Piece& piece : map.at(parameter.name)) {
      const StoredTensor tensor = tensors.tensor(piece.tensor);
      digest.update(tensor.bytes.data(), tensor.bytes.size());
    }
  }
  return digest.hexadecimal();
}

}  // namespace chainrule::pipeline::models::external
