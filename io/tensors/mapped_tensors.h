#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/files/mapped_file.h"
#include "io/tensors/stored_tensors.h"

namespace chainrule::io::tensors {

/// A tensor as a file lists it.
struct ListedTensor {
  std::string type;                  ///< as the file spells it
  std::optional<Encoding> encoding;  ///< nothing: a type that is not read
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  ///< of the file
};

/// A file's tensors by name.
using TensorTable = std::map<std::string, ListedTensor>;

/// The tensors of one or several mapped files.
class MappedTensors : public StoredTensors {
 public:
  /// path is what messages name: the file, or the folder of several. The tables' bytes lie in the files.
  MappedTensors(std::filesystem::path path, std::vector<files::MappedFile> files, TensorTable tensors);

  std::vector<std::string> names() const override;
  bool contains(const std::string& name) const override;
  std::string type_name(const std::string& name) const override;
  StoredTensor tensor(const std::string& name) const override;

 private:
  const ListedTensor& listed(const std::string& name) const;

  std::filesystem::path path_;
  std::vector<files::MappedFile> files_;
  TensorTable tensors_;
};

}  // namespace chainrule::io::tensors
