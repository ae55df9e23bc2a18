#include "pipeline/evaluate/tally/document_tallies.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "io/error.h"
#include "io/files/atomic_file.h"

namespace chainrule::pipeline::evaluate::tally {
namespace {

constexpr std::size_t kEntriesInMemory = 1 << 16;

[[noreturn]] void fail(const char* operation) {
  throw io::Error(io::ErrorKind::input_output,
                  fmt::format("cannot {} the documents' scores: {}", operation, std::strerror(errno)));
}

}  // namespace

void DocumentTallies::add(const ScoredToken& token) {
  if (has_tally_ && token.document != document_) close_document();
  if (!has_tally_ && !entries_.empty() && token.document <= entries_.back().document) {
    throw std::logic_error(
        fmt::format("document {} is scored behind document {}", token.document, entries_.back().document));
  }
  has_tally_ = true;
  document_ = token.document;
  tally_.add(token);
}

void DocumentTallies::close_document() {
  if (entries_.size() == kEntriesInMemory) spill();
  entries_.push_back({document_, to_numbers(tally_)});
  tally_ = {};
  has_tally_ = false;
}

void DocumentTallies::spill() {
  if (!file_) {
    const io::files::FileBeside made = io::files::create_beside(folder_ / "documents");
    ::unlink(made.path.c_str());
    file_.reset(::fdopen(made.descriptor, "w+b"));
    if (!file_) fail("keep");
  }
  if (std::fwrite(entries_.data(), sizeof(Entry), entries_.size(), file_.get()) != entries_.size()) fail("write");
  spilled_ += entries_.size();
  entries_.clear();
}

void DocumentTallies::for_each(const std::function<void(std::uint64_t, const TokenTally&)>& visit) const {
  if (file_) {
    if (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0) fail("read");
    std::vector<Entry> block(kEntriesInMemory);
    for (std::uint64_t left = spilled_; left != 0; left -= block.size()) {
      block.resize(std::min<std::uint64_t>(left, kEntriesInMemory));
      if (std::fread(block.data(), sizeof(Entry), block.size(), file_.get()) != block.size()) fail("read");
      for (const Entry& entry : block) visit(entry.document, from_numbers(entry.numbers));
    }
  }
  for (const Entry& entry : entries_) visit(entry.document, from_numbers(entry.numbers));
  if (has_tally_) visit(document_, tally_);
}

}  // namespace chainrule::pipeline::evaluate::tally
