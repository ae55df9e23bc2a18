#pragma once
#include <filesystem>
#include <string_view>

#include "io/files/atomic_output.h"
#include "io/files/digest.h"

namespace chainrule::io::files {

/// An AtomicOutput that is read back, and must have the checksum of what was written, before it is put in its place.
class VerifiedOutput {
 public:
  /// Throws Error cannot_create, also where path is already there.
  explicit VerifiedOutput(const std::filesystem::path& path) : output_(path) {}

  /// Appends bytes. Throws Error input_output.
  void write(std::string_view bytes);
  /// Throws Error input_output where the file does not read back as it was written; nothing is left then. Throws also
  /// what AtomicOutput::commit throws.
  void commit();

 private:
  AtomicOutput output_;
  Digest digest_;
};

}  // namespace chainrule::io::files
