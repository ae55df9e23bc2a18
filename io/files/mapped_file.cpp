#include "io/files/mapped_file.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "io/error.h"
#include "io/files/regular_file.h"
#include "io/quote.h"

namespace chainrule::io::files {

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const RegularFile file(path);
  const auto bytes = static_cast<std::size_t>(file.bytes());
  void* const pages = bytes == 0 ? nullptr : ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (pages == MAP_FAILED) {
    throw Error(ErrorKind::input_output, fmt::format("cannot map {}: {}", path_in_quotes(path), std::strerror(errno)));
  }
  bytes_ = {static_cast<const std::byte*>(pages), bytes};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace chainrule::io::files
