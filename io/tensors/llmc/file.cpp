#include "io/tensors/llmc/file.h"

#include <fmt/format.h>

#include <utility>

#include "io/error.h"
#include "io/files/verified_output.h"
#include "io/quote.h"
#include "io/tensors/write_rows.h"

namespace chainrule::io::tensors::llmc {
namespace {

constexpr std::int32_t kPadding = 128;
constexpr const char* kTokenEmbedding = "wte";

std::size_t bytes_of(const Header& header, const std::vector<std::int64_t>& shape) {
  return static_cast<std::size_t>(tensor_bytes(block_size(header.encoding), shape).value());
}

/// The shape of a tensor that stands for tokens only.
std::vector<std::int64_t> without_padding(const Header& header, const Tensor& tensor) {
  if (tensor.name != kTokenEmbedding) return tensor.shape;
  return {header.vocabulary, header.width};
}

std::int32_t padded(std::int32_t vocabulary) {
  std::int32_t rows = 0;
  if (!__builtin_add_overflow(vocabulary, kPadding - 1, &rows)) return rows / kPadding * kPadding;
  throw Error(ErrorKind::bad_data, fmt::format("a vocabulary of {} cannot be padded in an llm.c model", vocabulary));
}

void require_shape(const TensorSource& source, const std::string& name, const std::vector<std::int64_t>& shape) {
  if (source.shape(name) != shape) {
    throw Error(ErrorKind::bad_data, fmt::format("tensor {} has another shape than an llm.c model", in_quotes(name)));
  }
}

}  // namespace

TensorTable place_tensors(const Header& header, std::span<const std::byte> file) {
  TensorTable table;
  std::size_t offset = kHeaderBytes;
  for (const Tensor& tensor : tensors_of(header)) {
    const std::vector<std::int64_t> shape = without_padding(header, tensor);
    const std::string type(name_of(header.encoding));
    table.emplace(tensor.name,
                  ListedTensor{type, header.encoding, shape, file.subspan(offset, bytes_of(header, shape))});
    offset += bytes_of(header, tensor.shape);
  }
  return table;
}

LlmcFile LlmcFile::open(const std::filesystem::path& path) {
  std::vector<files::MappedFile> file;
  file.emplace_back(path);
  const std::span<const std::byte> bytes = file.front().bytes();
  const Header header = parse_header(bytes, path_in_quotes(path));
  return {path, std::move(file), header, place_tensors(header, bytes)};
}

void write(const std::filesystem::path& path, Header header, const TensorSource& source) {
  header.padded_vocabulary = padded(header.vocabulary);
  const std::vector<Tensor> tensors = tensors_of(header);
  for (const Tensor& tensor : tensors) require_shape(source, tensor.name, without_padding(header, tensor));
  files::VerifiedOutput output(path);
  output.write(header_bytes(header));
  for (const Tensor& tensor : tensors) {
    write_rows(source, tensor.name, header.encoding, output);
    const std::size_t padding = bytes_of(header, tensor.shape) - bytes_of(header, without_padding(header, tensor));
    output.write(std::string(padding, '\0'));
  }
  output.commit();
}

}  // namespace chainrule::io::tensors::llmc
