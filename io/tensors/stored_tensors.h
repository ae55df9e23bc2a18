#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/tensors/encoding.h"

namespace chainrule::io::tensors {

/// A tensor as it lies in a file that is mapped, not decoded.
struct StoredTensor {
  Encoding encoding;
  std::vector<std::int64_t> shape;  ///< row-major: [out, in] or [n]
  /// tensor_bytes(block_size(encoding), shape) of them. They are aligned to nothing: only bytes may be read.
  std::span<const std::byte> bytes;
};

/// Named tensors of a model's files, which stay mapped as long as this is there.
class StoredTensors {
 public:
  virtual ~StoredTensors() = default;
  /// In byte order; those of types that are not read too.
  virtual std::vector<std::string> names() const = 0;
  virtual bool contains(const std::string& name) const = 0;
  /// The type as the file spells it ("BF16", "Q6_K"), for listings. Throws Error bad_data for a name that is not there.
  virtual std::string type_name(const std::string& name) const = 0;
  /// Throws Error bad_data, naming file and tensor, for a name that is not there and for a type that is not read.
  virtual StoredTensor tensor(const std::string& name) const = 0;
};

}  // namespace chainrule::io::tensors
