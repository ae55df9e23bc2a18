#include "io/tensors/model_file.h"

#include <algorithm>
#include <cstring>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/tensors/verify_written.h"

namespace chainrule::io::tensors {
namespace {
constexpr hdf5::FileFormat kModelFormat = {"chainrule-model", 1};

hdf5::File create_file(const std::filesystem::path& path) {
  hdf5::File file = hdf5::File::create(path);
  file.set_format(kModelFormat);
  return file;
}

hdf5::Dataset create_tensor(hdf5::File& file, const std::string& name, const std::vector<std::int64_t>& shape) {
  return file.create_dataset(name, hdf5::ElementType::f32, {shape.begin(), shape.end()});
}

/// Calls visit(first row, values) for some rows of a tensor after the other.
template <typename Visit>
void for_each_slab(const TensorSource& source, const std::string& name, Visit&& visit) {
  constexpr std::int64_t kSlabElements = 1 << 20;
  const std::vector<std::int64_t> shape = source.shape(name);
  const std::int64_t row = shape.size() == 2 ? shape[1] : 1;
  const std::int64_t most = std::max<std::int64_t>(kSlabElements / row, 1);
  for (std::int64_t first = 0; first < shape[0]; first += most) {
    std::vector<float> values(static_cast<std::size_t>(std::min(most, shape[0] - first) * row));
    source.read(name, first, values);
    visit(static_cast<std::uint64_t>(first), std::span<const float>(values));
  }
}

void verify_slab(const hdf5::Dataset& dataset, std::uint64_t first, std::span<const float> values,
                 const std::filesystem::path& path) {
  std::vector<float> written(values.size());
  dataset.read(first, std::span(written));
  if (std::memcmp(written.data(), values.data(), values.size_bytes()) != 0) {
    throw Error(ErrorKind::input_output, "'" + path.string() + "' does not read back as it was written");
  }
}

}  // namespace

void write_model_file(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  hdf5::File file = create_file(path);
  for (const NamedTensor& tensor : tensors) create_tensor(file, tensor.name, tensor.shape).write(0, tensor.values);
  file.close();
  files::sync_path(path);
  const hdf5::File written = hdf5::File::open(path);
  for (const NamedTensor& tensor : tensors) verify_written(written.dataset(tensor.name), tensor.values, path);
}

void write_model_file(const std::filesystem::path& path, const TensorSource& source) {
  hdf5::File file = create_file(path);
  for (const std::string& name : source.names()) {
    hdf5::Dataset dataset = create_tensor(file, name, source.shape(name));
    for_each_slab(source, name,
                  [&](std::uint64_t first, std::span<const float> values) { dataset.write(first, values); });
  }
  file.close();
  files::sync_path(path);
  const hdf5::File written = hdf5::File::open(path);
  for (const std::string& name : source.names()) {
    const hdf5::Dataset dataset = written.dataset(name);
    for_each_slab(source, name, [&](std::uint64_t first, std::span<const float> values) {
      verify_slab(dataset, first, values, path);
    });
  }
}

ModelFile::ModelFile(const std::filesystem::path& path) : file_(hdf5::File::open(path)) {
  file_.require_format(kModelFormat);
}

std::vector<std::string> ModelFile::names() const { return file_.names(); }

std::vector<std::int64_t> ModelFile::shape(const std::string& name) const {
  const std::vector<std::uint64_t> shape = file_.dataset(name).shape();
  return {shape.begin(), shape.end()};
}

void ModelFile::read(const std::string& name, std::int64_t first_row, std::span<float> values) const {
  file_.dataset(name).read(static_cast<std::uint64_t>(first_row), values);
}

}  // namespace chainrule::io::tensors
