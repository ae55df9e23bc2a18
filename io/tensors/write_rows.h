#pragma once
#include <string>

#include "io/files/verified_output.h"
#include "io/tensors/encoding.h"
#include "io/tensors/tensor_source.h"

namespace chainrule::io::tensors {

/// Appends a tensor's elements to a file, some rows at a time, as f32 or as the nearest bf16. Throws
/// std::invalid_argument for another encoding, and what reading the tensor and writing the file throw.
void write_rows(const TensorSource& source, const std::string& name, Encoding encoding, files::VerifiedOutput& output);

}  // namespace chainrule::io::tensors
