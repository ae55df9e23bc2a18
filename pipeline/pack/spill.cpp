#include "pipeline/pack/spill.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "io/error.h"

namespace chainrule::pipeline::pack {
namespace {

namespace fs = std::filesystem;

fs::path path_of(const fs::path& folder, int rank, int set, const char* what) {
  return folder / fmt::format("spill-{}-{}.{}", rank, set, what);
}

[[noreturn]] void fail(io::ErrorKind kind, const char* operation, const fs::path& path) {
  throw io::Error(kind, fmt::format("cannot {} '{}': {}", operation, path.string(), std::strerror(errno)));
}

void write(std::FILE* file, const void* values, std::size_t bytes, const fs::path& folder) {
  if (std::fwrite(values, 1, bytes, file) != bytes) fail(io::ErrorKind::input_output, "write into", folder);
}

void read_at(const fs::path& path, std::uint64_t first_byte, void* values, std::size_t bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) fail(io::ErrorKind::missing_input, "open", path);
  if (::fseeko(file.get(), static_cast<off_t>(first_byte), SEEK_SET) != 0 ||
      std::fread(values, 1, bytes, file.get()) != bytes) {
    fail(io::ErrorKind::input_output, "read", path);
  }
}

}  // namespace

SpillWriter::SpillWriter(const fs::path& folder, int rank, int set)
    : folder_(folder),
      document_file_(std::fopen(path_of(folder, rank, set, "documents").c_str(), "wbx"), &std::fclose),
      token_file_(std::fopen(path_of(folder, rank, set, "tokens").c_str(), "wbx"), &std::fclose) {
  if (!document_file_ || !token_file_) fail(io::ErrorKind::cannot_create, "write into", folder);
}

void SpillWriter::append_tokens(std::span<const std::uint32_t> tokens) {
  write(token_file_.get(), tokens.data(), tokens.size_bytes(), folder_);
  tokens_ += tokens.size();
}

void SpillWriter::append(const SpilledDocument& document) {
  write(document_file_.get(), &document, sizeof document, folder_);
  documents_ += 1;
}

void SpillWriter::close() {
  for (File* file : {&document_file_, &token_file_}) {
    if (std::fclose(file->release()) != 0) fail(io::ErrorKind::input_output, "write into", folder_);
  }
}

std::vector<SpilledDocument> read_spilled_documents(const fs::path& folder, int rank, int set, std::uint64_t first,
                                                    std::uint64_t count) {
  std::vector<SpilledDocument> documents(count);
  if (count != 0) {
    read_at(path_of(folder, rank, set, "documents"), first * sizeof(SpilledDocument), documents.data(),
            count * sizeof(SpilledDocument));
  }
  return documents;
}

void read_spilled_tokens(const fs::path& folder, int rank, int set, std::uint64_t first,
                         std::span<std::uint32_t> tokens) {
  if (tokens.empty()) return;
  read_at(path_of(folder, rank, set, "tokens"), first * sizeof(std::uint32_t), tokens.data(), tokens.size_bytes());
}

}  // namespace chainrule::pipeline::pack
