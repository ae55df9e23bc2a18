#include "io/files/digest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include "io/error.h"

namespace chainrule::io::files {

struct Digest::State {
  XXH3_state_t* xxh3 = XXH3_createState();
  State() {
    if (xxh3 == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(xxh3);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(xxh3); }
};

Digest::Digest() : state_(std::make_unique<State>()) {}
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(const void* data, std::size_t bytes) { XXH3_128bits_update(state_->xxh3, data, bytes); }

std::string Digest::hexadecimal() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh3);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string file_digest(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) {
    throw Error(ErrorKind::missing_input, fmt::format("cannot open '{}': {}", path.string(), std::strerror(errno)));
  }
  Digest digest;
  std::vector<char> buffer(1U << 20U);
  std::size_t got = 0;
  while ((got = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0) digest.update(buffer.data(), got);
  if (std::ferror(file.get()) != 0) {
    throw Error(ErrorKind::input_output, fmt::format("reading '{}' failed: {}", path.string(), std::strerror(errno)));
  }
  return digest.hexadecimal();
}

}  // namespace chainrule::io::files
