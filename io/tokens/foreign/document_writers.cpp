#include "io/tokens/foreign/document_writers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/quote.h"
#include "io/tokens/foreign/llmc_header.h"
#include "io/tokens/foreign/megatron_index.h"
#include "io/tokens/format.h"

namespace chainrule::io::tokens::foreign {
namespace {

namespace fs = std::filesystem;

/// A new file of tokens, written from its beginning on.
class OutputFile {
 public:
  OutputFile(fs::path path, TokenType type)
      : path_(std::move(path)), type_(type), file_(std::fopen(path_.c_str(), "wbx"), &std::fclose) {
    if (!file_) fail(ErrorKind::cannot_create, "create");
  }

  const fs::path& path() const { return path_; }

  void write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) fail(ErrorKind::input_output, "write");
  }

  void write(std::span<const std::uint32_t> tokens) {
    if (type_.bytes == sizeof(std::uint32_t)) {
      write({reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()});
      return;
    }
    narrow_.assign(tokens.begin(), tokens.end());
    write({reinterpret_cast<const char*>(narrow_.data()), narrow_.size() * sizeof(std::uint16_t)});
  }

  /// Replaces what stands at the beginning.
  void write_at_beginning(std::string_view bytes) {
    if (std::fseek(file_.get(), 0, SEEK_SET) != 0) fail(ErrorKind::input_output, "write");
    write(bytes);
  }

  void close() {
    if (std::fclose(file_.release()) != 0) fail(ErrorKind::input_output, "write");
    files::sync_path(path_);
  }

 private:
  [[noreturn]] void fail(ErrorKind kind, const char* operation) const {
    throw Error(kind, fmt::format("cannot {} {}: {}", operation, path_in_quotes(path_), std::strerror(errno)));
  }

  fs::path path_;
  TokenType type_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::vector<std::uint16_t> narrow_;
};

bool is_narrow(const DocumentIds& ids) { return ids.size <= kLargestNarrowVocabulary; }

class LlmcWriter final : public DocumentWriter {
 public:
  LlmcWriter(fs::path folder, const DocumentIds& ids, std::uint64_t shard_tokens)
      : folder_(std::move(folder)),
        ids_(ids),
        type_{static_cast<std::uint8_t>(is_narrow(ids) ? 2 : 4), false},
        shard_tokens_(shard_tokens) {}

  void append(std::span<const std::uint32_t> document) override {
    const auto text = document.first(document.size() - 1);
    const auto ends = std::find_if(text.begin(), text.end(), [&](std::uint32_t token) {
      return token == ids_.end_of_text || token == ids_.document_start;
    });
    if (ends != text.end()) {
      throw Error(ErrorKind::bad_data, fmt::format("document {} holds token {}, which parts documents in llm.c's files",
                                                   documents_ + 1, *ends));
    }
    write(std::span(&ids_.document_start, 1));
    write(text);
    ++documents_;
  }

  TokenShards finish() override {
    if (shards_.files.empty()) begin_file();
    end_file();
    return std::move(shards_);
  }

 private:
  void write(std::span<const std::uint32_t> tokens) {
    while (!tokens.empty()) {
      if (file_ && tokens_ == shard_tokens_) end_file();
      if (!file_) begin_file();
      const std::size_t count = std::min<std::uint64_t>(tokens.size(), shard_tokens_ - tokens_);
      file_->write(tokens.first(count));
      tokens_ += count;
      tokens = tokens.subspan(count);
    }
  }

  void begin_file() {
    shards_.files.push_back(folder_ / fmt::format("tokens_{:06}.bin", shards_.files.size()));
    file_ = std::make_unique<OutputFile>(shards_.files.back(), type_);
    file_->write(llmc_header_bytes({type_, 0}));
    tokens_ = 0;
  }

  void end_file() {
    file_->write_at_beginning(llmc_header_bytes({type_, tokens_}));
    file_->close();
    file_.reset();
  }

  fs::path folder_;
  DocumentIds ids_;
  TokenType type_;
  std::uint64_t shard_tokens_;
  TokenShards shards_{Layout::llmc, {}};
  std::unique_ptr<OutputFile> file_;
  std::uint64_t tokens_ = 0;  ///< in the file
  std::uint64_t documents_ = 0;
};

class MegatronWriter final : public DocumentWriter {
 public:
  MegatronWriter(const fs::path& folder, const DocumentIds& ids)
      : index_{is_narrow(ids) ? TokenType{2, false} : TokenType{4, true}, {0}},
        file_(folder / "tokens_document.bin", index_.type) {
    if (ids.size > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max())) {
      throw Error(ErrorKind::bad_data, fmt::format("a vocabulary of {} has ids that no i32 holds", ids.size));
    }
  }

  void append(std::span<const std::uint32_t> document) override {
    file_.write(document);
    index_.documents.push_back(index_.documents.back() + document.size());
  }

  TokenShards finish() override {
    file_.close();
    OutputFile index(index_beside(file_.path()), index_.type);
    index.write(megatron_index_bytes(index_));
    index.close();
    return {Layout::megatron, {file_.path()}};
  }

 private:
  MegatronIndex index_;
  OutputFile file_;
};

}  // namespace

std::unique_ptr<DocumentWriter> write_llmc(const fs::path& folder, const DocumentIds& ids, std::uint64_t shard_tokens) {
  return std::make_unique<LlmcWriter>(folder, ids, shard_tokens);
}

std::unique_ptr<DocumentWriter> write_megatron(const fs::path& folder, const DocumentIds& ids) {
  return std::make_unique<MegatronWriter>(folder, ids);
}

}  // namespace chainrule::io::tokens::foreign
