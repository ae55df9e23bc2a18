#include "io/hdf5/structure/metadata_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::io::hdf5::structure {
namespace {

[[noreturn]] void refuse_at(const std::string& file, std::uint64_t offset, std::string_view what) {
  throw Error(ErrorKind::bad_data, fmt::format("checking {}: {}, at byte {}", path_in_quotes(file), what, offset));
}

}  // namespace

void Fields::advance(std::size_t bytes) {
  field_ = next_;
  if (bytes > left()) refuse("a field goes beyond what holds it");
  next_ += bytes;
}

Fields Fields::part(std::size_t bytes) {
  advance(bytes);
  Fields part = *this;
  part.next_ = part.field_;
  part.end_ = next_;
  return part;
}

void Fields::expect(std::string_view signature, std::string_view what) {
  if (part(signature.size()).text() != signature) refuse(fmt::format("no {}", what));
}

std::string_view Fields::text() const { return {reinterpret_cast<const char*>(bytes_->data()) + next_, left()}; }

void Fields::refuse(const std::string& what) const { refuse_at(*file_, block_ + field_, what); }

MetadataFile::MetadataFile(const std::filesystem::path& path)
    : name_(std::make_shared<const std::string>(path.string())), file_(path), bytes_(file_.bytes()) {}

Fields MetadataFile::read(std::uint64_t offset, std::uint64_t bytes, std::string_view what) {
  claim(offset, bytes, what);
  const auto block = std::make_shared<std::vector<std::uint8_t>>(bytes);
  for (std::uint64_t done = 0; done < bytes;) {
    const ssize_t got =
        ::pread(file_.descriptor(), block->data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(ErrorKind::input_output, fmt::format("reading {} at byte {} failed: {}", path_in_quotes(*name_),
                                                       offset + done, std::strerror(errno)));
    }
    if (got == 0) refuse_at(*name_, offset + done, "the file has become shorter");
    done += static_cast<std::uint64_t>(got);
  }
  return {block, offset, name_};
}

void MetadataFile::claim(std::uint64_t offset, std::uint64_t bytes, std::string_view what) {
  if (offset > bytes_ || bytes > bytes_ - offset) {
    refuse_at(*name_, offset, fmt::format("{} of {} bytes is not inside the file's {} bytes", what, bytes, bytes_));
  }
  const auto next = claimed_.lower_bound(offset);
  const bool into_next = next != claimed_.end() && next->first < offset + bytes;
  const bool from_last = next != claimed_.begin() && std::prev(next)->second > offset;
  if (into_next || from_last) refuse_at(*name_, offset, fmt::format("{} overlaps something else", what));
  claimed_.emplace_hint(next, offset, offset + bytes);
}

}  // namespace chainrule::io::hdf5::structure
