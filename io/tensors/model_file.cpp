#include "io/tensors/model_file.h"

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/tensors/verify_written.h"

namespace chainrule::io::tensors {
namespace {
constexpr std::uint64_t kFormatVersion = 1;
constexpr const char* kFormat = "chainrule-model";
}  // namespace

void write_model_file(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  hdf5::File file = hdf5::File::create(path);
  file.set_attribute("format", std::string(kFormat));
  file.set_attribute("format_version", kFormatVersion);
  for (const NamedTensor& tensor : tensors) {
    const std::vector<std::uint64_t> shape(tensor.shape.begin(), tensor.shape.end());
    file.create_dataset(tensor.name, hdf5::ElementType::f32, shape).write(0, tensor.values);
  }
  file.close();
  files::sync_path(path);
  const hdf5::File written = hdf5::File::open(path);
  for (const NamedTensor& tensor : tensors) verify_written(written.dataset(tensor.name), tensor.values, path);
}

ModelFile::ModelFile(const std::filesystem::path& path) : file_(hdf5::File::open(path)) {
  if (file_.text_attribute("format") != kFormat || file_.number_attribute("format_version") != kFormatVersion) {
    throw Error(ErrorKind::bad_data, "'" + path.string() + "' is not a model file of format version 1");
  }
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
