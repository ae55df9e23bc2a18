#include "io/text/unpacking.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <span>
#include <vector>

#include "io/error.h"
#include "io/quote.h"
#include "io/text/binary_content.h"

namespace chainrule::io::text {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kBlockBytes = std::size_t{1} << 17U;
constexpr std::string_view kGzip = "\x1F\x8B"sv;
constexpr std::string_view kZstd = "\x28\xB5\x2F\xFD"sv;

/// A file or standard input in blocks.
class Source {
 public:
  explicit Source(const std::filesystem::path& path) : path_(path), block_(kBlockBytes) {
    if (path != kStandardInput) file_.reset(std::fopen(path.c_str(), "rb"));
    if (!file_ && path != kStandardInput) {
      throw Error(ErrorKind::missing_input,
                  fmt::format("cannot open {}: {}", path_in_quotes(path), std::strerror(errno)));
    }
  }

  /// What was read and not taken yet; empty at the end.
  std::span<char> rest() {
    if (taken_ == read_) {
      std::FILE* const file = file_ ? file_.get() : stdin;
      taken_ = 0;
      read_ = std::fread(block_.data(), 1, block_.size(), file);
      if (read_ == 0 && std::ferror(file) != 0) {
        throw Error(ErrorKind::input_output,
                    fmt::format("reading {} failed: {}", path_in_quotes(path_), std::strerror(errno)));
      }
    }
    return std::span(block_).subspan(taken_, read_ - taken_);
  }
  void take(std::size_t bytes) { taken_ += bytes; }

  [[noreturn]] void refuse(const char* what) const {
    throw Error(ErrorKind::bad_data, fmt::format("cannot unpack {}: {}", path_in_quotes(path_), what));
  }

 private:
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, &std::fclose};
  std::vector<char> block_;
  std::size_t taken_ = 0;
  std::size_t read_ = 0;
};

/// Turns a source's bytes into what they hold.
class Unpacker {
 public:
  virtual ~Unpacker() = default;
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  /// Up to out.size() bytes, 0 at the end.
  virtual std::size_t read(std::span<char> out) = 0;

 protected:
  explicit Unpacker(Source& source) : source_(source) {}
  Source& source() { return source_; }

 private:
  Source& source_;
};

class NoUnpacker : public Unpacker {
 public:
  explicit NoUnpacker(Source& source) : Unpacker(source) {}

  std::size_t read(std::span<char> out) override {
    const std::span<char> in = source().rest();
    const std::size_t bytes = std::min(in.size(), out.size());
    std::copy_n(in.begin(), bytes, out.begin());
    source().take(bytes);
    return bytes;
  }
};

/// zlib checks lengths and checksums of each member.
class GzipUnpacker : public Unpacker {
 public:
  explicit GzipUnpacker(Source& source) : Unpacker(source) {
    constexpr int kLargestWindow = 15;
    constexpr int kGzipOnly = 16;
    if (inflateInit2(&stream_, kLargestWindow + kGzipOnly) != Z_OK) source.refuse("zlib cannot begin");
  }
  ~GzipUnpacker() override { inflateEnd(&stream_); }

  std::size_t read(std::span<char> out) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    while (stream_.avail_out == out.size()) {
      const std::span<char> in = source().rest();
      if (in.empty()) {
        if (in_member_) source().refuse("it is cut off");
        break;
      }
      stream_.next_in = reinterpret_cast<Bytef*>(in.data());
      stream_.avail_in = static_cast<uInt>(in.size());
      in_member_ = true;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      source().take(in.size() - stream_.avail_in);
      if (result != Z_OK && result != Z_STREAM_END) {
        source().refuse(stream_.msg == nullptr ? "it is damaged" : stream_.msg);
      }
      if (result == Z_STREAM_END) {
        in_member_ = false;
        inflateReset(&stream_);
      }
    }
    return out.size() - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  bool in_member_ = false;
};

class ZstdUnpacker : public Unpacker {
 public:
  explicit ZstdUnpacker(Source& source) : Unpacker(source), stream_(ZSTD_createDStream(), &ZSTD_freeDStream) {
    // Corpora are packed with windows of up to 2 GiB (zstd --long=31), which the library asks to be allowed.
    const int largest = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound;
    if (!stream_ || ZSTD_isError(ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, largest)) != 0) {
      source.refuse("zstd cannot begin");
    }
  }

  std::size_t read(std::span<char> out) override {
    ZSTD_outBuffer unpacked{out.data(), out.size(), 0};
    while (unpacked.pos == 0) {
      const std::span<char> in = source().rest();
      if (in.empty() && !in_frame_) break;
      ZSTD_inBuffer packed{in.data(), in.size(), 0};
      const std::size_t result = ZSTD_decompressStream(stream_.get(), &unpacked, &packed);
      source().take(packed.pos);
      if (ZSTD_isError(result) != 0) source().refuse(ZSTD_getErrorName(result));
      if (in.empty() && result != 0 && unpacked.pos == 0) source().refuse("it is cut off");
      in_frame_ = result != 0;
    }
    return unpacked.pos;
  }

 private:
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream_;
  bool in_frame_ = false;
};

std::unique_ptr<Unpacker> unpacker_for(Source& source) {
  const std::span<char> begin = source.rest();
  const std::string_view bytes(begin.data(), begin.size());
  if (bytes.starts_with(kGzip)) return std::make_unique<GzipUnpacker>(source);
  if (bytes.starts_with(kZstd)) return std::make_unique<ZstdUnpacker>(source);
  return std::make_unique<NoUnpacker>(source);
}

/// What a stream reads from. It knows where it is, and goes back by beginning again.
class UnpackingBuffer : public std::streambuf {
 public:
  explicit UnpackingBuffer(const std::filesystem::path& path) : path_(path), block_(kBlockBytes) { begin(); }

 protected:
  int_type underflow() override {
    if (gptr() != egptr()) return traits_type::to_int_type(*gptr());
    position_ += static_cast<std::streamoff>(egptr() - eback());
    const std::size_t bytes = unpacker_->read(block_);
    setg(block_.data(), block_.data(), block_.data() + bytes);
    return bytes == 0 ? traits_type::eof() : traits_type::to_int_type(block_.front());
  }

  pos_type seekoff(off_type offset, std::ios::seekdir from, std::ios::openmode mode) override {
    if (from == std::ios::cur && offset == 0) return position_ + (gptr() - eback());
    return from == std::ios::beg ? seekpos(offset, mode) : pos_type(off_type(-1));
  }

  pos_type seekpos(pos_type place, std::ios::openmode) override {
    if (place < pos_type(position_)) begin();
    while (place > pos_type(position_ + (egptr() - eback()))) {
      setg(eback(), egptr(), egptr());
      if (underflow() == traits_type::eof()) return pos_type(off_type(-1));
    }
    setg(eback(), eback() + (place - pos_type(position_)), egptr());
    return place;
  }

 private:
  void begin() {
    source_ = std::make_unique<Source>(path_);
    unpacker_ = unpacker_for(*source_);
    position_ = 0;
    setg(block_.data(), block_.data(), block_.data());
  }

  std::filesystem::path path_;
  std::vector<char> block_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Unpacker> unpacker_;
  std::streamoff position_ = 0;  ///< of the block's first byte, in what is unpacked
};

class UnpackingStream : public std::istream {
 public:
  explicit UnpackingStream(const std::filesystem::path& path) : std::istream(nullptr), buffer_(path) {
    rdbuf(&buffer_);
    exceptions(std::ios::badbit);  // what reading throws goes on to the caller
  }

 private:
  UnpackingBuffer buffer_;
};

}  // namespace

bool is_packed(std::string_view begin) { return begin.starts_with(kGzip) || begin.starts_with(kZstd); }

std::unique_ptr<std::istream> open_unpacked(const std::filesystem::path& path) {
  if (path == kStandardInput) return std::make_unique<UnpackingStream>(path);
  auto file = std::make_unique<std::ifstream>(open_file(path));
  std::array<char, kZstd.size()> begin{};
  file->read(begin.data(), begin.size());
  if (is_packed({begin.data(), static_cast<std::size_t>(file->gcount())})) {
    return std::make_unique<UnpackingStream>(path);
  }
  file->clear();
  file->seekg(0);
  return file;
}

}  // namespace chainrule::io::text
