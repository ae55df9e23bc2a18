#include "pipeline/evaluate/journal/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "io/error.h"
#include "io/files/digest.h"
#include "io/files/published_folder.h"
#include "io/files/regular_file.h"
#include "io/quote.h"
#include "pipeline/run/file_lock.h"

namespace chainrule::pipeline::evaluate::journal {
namespace {

namespace fs = std::filesystem;

// The header: magic, a line with the length of what follows, then identity, a line end, about; then its digest.
constexpr std::string_view kMagic = "chainrule evaluation journal 1\n";
constexpr std::size_t kLengthDigits = 16;
constexpr std::size_t kDigestDigits = 32;
constexpr std::uint64_t kLongestHeader = 1 << 20;

std::string header_text(const JournalHeader& header) {
  const std::string content = header.identity + '\n' + header.about;
  const std::string text = fmt::format("{}{:0{}x}\n{}", kMagic, content.size(), kLengthDigits, content);
  return text + io::files::text_digest(text);
}

}  // namespace

Journal Journal::open(const fs::path& path, const JournalHeader& header) {
  if (const fs::path parent = path.parent_path(); !parent.empty()) io::files::make_folder(parent);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666);
  if (file < 0) {
    throw io::Error(io::ErrorKind::cannot_create,
                    fmt::format("cannot create {}: {}", io::path_in_quotes(path), std::strerror(errno)));
  }
  Journal journal(path, file);
  io::files::require_regular(file, path);
  journal.hold_ = run::lock_file(file, path);
  const std::string text = header_text(header);
  if (journal.holds_less_than(text)) {
    if (::ftruncate(file, 0) != 0) journal.fail("cut");
    journal.write(std::as_bytes(std::span(text)));
    journal.sync();
  }
  if (!journal.read_header()) {
    journal.refuse("is no journal of an evaluation, or its beginning is damaged; name another report, or remove it");
  }
  if (journal.header_.identity != header.identity) {
    throw io::Error(
        io::ErrorKind::cannot_create,
        fmt::format("{} holds the unfinished results of another evaluation ({}), not of this one ({}); name "
                    "another report, or remove it",
                    io::path_in_quotes(path), io::in_quotes(journal.header_.identity), io::in_quotes(header.identity)));
  }
  journal.read_records();
  if (journal.end_ != journal.file_bytes_ && ::ftruncate(file, static_cast<off_t>(journal.end_)) != 0) {
    journal.fail("cut");
  }
  journal.file_bytes_ = journal.end_;
  return journal;
}

bool Journal::begins(const fs::path& path) {
  const io::files::RegularFile file(path);
  std::string text(kMagic.size(), '\0');
  return ::pread(file.descriptor(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) && text == kMagic;
}

Journal Journal::look_at(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("cannot open {}: {}", io::path_in_quotes(path), std::strerror(errno)));
  }
  Journal journal(path, file);
  io::files::require_regular(file, path);
  if (!journal.read_header()) journal.refuse("is no part of an evaluation");
  journal.read_records();
  return journal;
}

Journal Journal::read(const fs::path& path) {
  Journal journal = look_at(path);
  if (journal.bytes_left_over() != 0) {
    journal.refuse(fmt::format("is damaged, or still being written: its {} bytes from {} on are no whole record",
                               journal.bytes_left_over(), journal.end_));
  }
  return journal;
}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      hold_(std::move(other.hold_)),
      header_(std::move(other.header_)),
      end_(other.end_),
      file_bytes_(other.file_bytes_),
      tokens_(other.tokens_),
      places_(std::move(other.places_)) {}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

std::uint64_t Journal::bytes_of_file() const {
  struct stat status {};
  if (::fstat(file_, &status) != 0) fail("look at");
  return static_cast<std::uint64_t>(status.st_size);
}

bool Journal::holds_less_than(const std::string& text) const {
  const std::uint64_t bytes = bytes_of_file();
  if (bytes == 0) return true;
  if (bytes >= text.size()) return false;
  const std::vector<std::byte> begin = bytes_at(0, bytes);
  return std::memcmp(begin.data(), text.data(), bytes) == 0;
}

bool Journal::read_header() {
  file_bytes_ = bytes_of_file();
  const std::uint64_t before = kMagic.size() + kLengthDigits + 1;
  if (file_bytes_ < before + kDigestDigits) return false;
  const auto text_at = [&](std::uint64_t offset, std::uint64_t size) {
    const std::vector<std::byte> bytes = bytes_at(offset, size);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  const std::string begin = text_at(0, before);
  if (!begin.starts_with(kMagic)) return false;
  const std::string digits = begin.substr(kMagic.size(), kLengthDigits);
  if (digits.find_first_not_of("0123456789abcdef") != std::string::npos) return false;
  const std::uint64_t content_bytes = std::stoull(digits, nullptr, 16);
  if (content_bytes > kLongestHeader || content_bytes > file_bytes_ - before - kDigestDigits) return false;
  const std::string content = text_at(before, content_bytes);
  const std::size_t line_end = content.find('\n');
  if (line_end == std::string::npos) return false;
  header_ = {content.substr(0, line_end), content.substr(line_end + 1)};
  end_ = before + content_bytes + kDigestDigits;
  return text_at(0, end_) == header_text(header_);
}

void Journal::read_records() {
  UnitResult result;
  while (file_bytes_ - end_ >= record_bytes(0, false)) {
    const RecordHead head = read_head(bytes_at(end_, kRecordHeadBytes));
    if (head.tokens > (file_bytes_ - end_) / sizeof(double)) return;
    const std::uint64_t bytes = record_bytes(head.tokens, head.has_baseline);
    if (bytes > file_bytes_ - end_ || !read_record(bytes_at(end_, bytes), result)) return;
    if (!places_.try_emplace(head.unit, Place{end_, bytes}).second) {
      refuse(fmt::format("has work unit {} twice", head.unit));
    }
    tokens_ += head.tokens;
    end_ += bytes;
  }
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Journal::ranges() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [unit, place] : places_) {
    if (ranges.empty() || ranges.back().second != unit) ranges.emplace_back(unit, unit);
    ++ranges.back().second;
  }
  return ranges;
}

void Journal::append(std::span<const std::byte> record) {
  const RecordHead head = read_head(record);
  if (!places_.try_emplace(head.unit, Place{end_, record.size()}).second) {
    throw std::logic_error(fmt::format("work unit {} is scored twice", head.unit));
  }
  write(record);
  tokens_ += head.tokens;
  end_ += record.size();
  file_bytes_ = end_;
}

void Journal::require_hold() const {
  if (hold_) hold_->require();
}

void Journal::write(std::span<const std::byte> bytes) {
  require_hold();
  std::uint64_t offset = end_;
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void Journal::sync() const {
  if (::fsync(file_) != 0) fail("sync");
}

UnitResult Journal::result(std::uint64_t unit) const {
  const auto place = places_.find(unit);
  if (place == places_.end()) refuse(fmt::format("has no work unit {}", unit));
  UnitResult result;
  if (!read_record(bytes_at(place->second.offset, place->second.bytes), result) || result.unit != unit) {
    refuse(fmt::format("changed since it was opened: work unit {} is damaged", unit));
  }
  return result;
}

std::vector<std::byte> Journal::bytes_at(std::uint64_t offset, std::uint64_t bytes) const {
  std::vector<std::byte> all(bytes);
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got = ::pread(file_, all.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read");
    if (got == 0) refuse("became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return all;
}

void Journal::fail(const char* operation) const {
  throw io::Error(io::ErrorKind::input_output,
                  fmt::format("cannot {} {}: {}", operation, io::path_in_quotes(path_), std::strerror(errno)));
}

void Journal::refuse(const std::string& what) const {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{} {}", io::path_in_quotes(path_), what));
}

}  // namespace chainrule::pipeline::evaluate::journal
