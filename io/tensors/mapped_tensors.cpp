#include "io/tensors/mapped_tensors.h"

#include <fmt/format.h>

#include <utility>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::io::tensors {

MappedTensors::MappedTensors(std::filesystem::path path, std::vector<files::MappedFile> files, TensorTable tensors)
    : path_(std::move(path)), files_(std::move(files)), tensors_(std::move(tensors)) {}

std::vector<std::string> MappedTensors::names() const {
  std::vector<std::string> names;
  names.reserve(tensors_.size());
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

bool MappedTensors::contains(const std::string& name) const { return tensors_.contains(name); }

std::string MappedTensors::type_name(const std::string& name) const { return listed(name).type; }

StoredTensor MappedTensors::tensor(const std::string& name) const {
  const ListedTensor& tensor = listed(name);
  if (tensor.encoding) return {*tensor.encoding, tensor.shape, tensor.bytes};
  throw Error(ErrorKind::bad_data, fmt::format("{}: tensor {} is of type {}, which is not read", path_in_quotes(path_),
                                               in_quotes(name), in_quotes(tensor.type)));
}

const ListedTensor& MappedTensors::listed(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  throw Error(ErrorKind::bad_data, fmt::format("{} has no tensor {}", path_in_quotes(path_), in_quotes(name)));
}

}  // namespace chainrule::io::tensors
