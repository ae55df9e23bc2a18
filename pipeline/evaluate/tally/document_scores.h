#pragma once
#include <cstdint>
#include <vector>

#include "pipeline/evaluate/tally/token_sink.h"

namespace chainrule::pipeline::evaluate::tally {

/// Nats and tokens scored of a document, text and end-of-text apart. Exact, so parts merge in any order.
struct DocumentScore {
  comm::ExactSum text;
  comm::ExactSum end_of_text;

  void merge(const DocumentScore& other);
  /// Text and end-of-text together.
  comm::ExactSum all() const;
  bool operator==(const DocumentScore&) const = default;
};

/// The scores of documents. Memory grows with the documents that have one.
class DocumentScores final : public TokenSink {
 public:
  /// documents: how many there are.
  explicit DocumentScores(std::uint64_t documents) : documents_(documents) {}

  std::string_view name() const override { return "documents"; }
  void add(const ScoredToken& token) override;
  void write(WireWriter& out) const override;
  void merge(WireReader& in) override;

  /// One for each document; nothing scored for those that have none.
  std::vector<DocumentScore> scores() const;
  /// All of them together.
  DocumentScore total() const;

 private:
  struct Entry {
    std::uint64_t document = 0;
    DocumentScore score;
  };
  DocumentScore& score_of(std::uint64_t document);

  std::uint64_t documents_;
  std::vector<Entry> entries_;  // documents ascend
};

}  // namespace chainrule::pipeline::evaluate::tally
