#include "io/files/digest.h"

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include "io/error.h"
#include "io/files/regular_file.h"

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

std::string text_digest(std::string_view bytes) {
  Digest digest;
  digest.update(bytes.data(), bytes.size());
  return digest.hexadecimal();
}

std::string file_digest(const std::filesystem::path& path) {
  const RegularFile file(path);
  Digest digest;
  std::vector<char> buffer(1U << 20U);
  for (;;) {
    const ssize_t got = ::read(file.descriptor(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(ErrorKind::input_output, fmt::format("reading '{}' failed: {}", path.string(), std::strerror(errno)));
    }
    if (got == 0) return digest.hexadecimal();
    digest.update(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace chainrule::io::files
