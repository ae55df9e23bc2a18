#pragma once
#include <filesystem>
#include <span>

#include "io/hdf5/dataset.h"

namespace chainrule::io::tensors {

/// Reads a dataset back, slab by slab, and compares it with what it was written from, bit by bit. Throws Error
/// input_output where they differ.
void verify_written(const hdf5::Dataset& dataset, std::span<const float> values, const std::filesystem::path& path);

}  // namespace chainrule::io::tensors
