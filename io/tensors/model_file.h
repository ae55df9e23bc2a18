#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/file.h"
#include "io/tensors/tensor_source.h"

namespace chainrule::io::tensors {

/// One tensor to be written; values [product of shape], row-major.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

/// Writes model.h5: one float32 dataset a tensor, by name. Closed, synced, read back and compared. Throws Error
/// (cannot_create, input_output).
void write_model_file(const std::filesystem::path& path, std::span<const NamedTensor> tensors);

/// The same of a source's tensors in its order, some rows at a time in memory; they are read twice. Throws also what
/// source throws.
void write_model_file(const std::filesystem::path& path, const TensorSource& source);

/// model.h5 for reading; nothing is kept in memory.
class ModelFile final : public TensorSource {
 public:
  /// Throws Error (missing_input, bad_data).
  explicit ModelFile(const std::filesystem::path& path);
  std::vector<std::string> names() const override;
  std::vector<std::int64_t> shape(const std::string& name) const override;
  void read(const std::string& name, std::int64_t first_row, std::span<float> values) const override;

 private:
  hdf5::File file_;
};

}  // namespace chainrule::io::tensors
