#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace chainrule::pipeline::evaluate::compare {

/// A document in documents.csv.
struct DocumentRow {
  std::uint64_t index = 0;
  std::string domain;
  std::string source;
  std::string line;       ///< empty: the source is the document
  std::string text_hash;  ///< empty: not known
  std::uint64_t bytes = 0;
  std::uint64_t words = 0;
  std::uint64_t tokens_scored = 0;
  std::uint64_t text_tokens = 0;    ///< of them, without end-of-text
  std::optional<double> text_nats;  ///< of these; empty where a result is not finite
};

/// Reads documents.csv a line at a time.
class DocumentRows {
 public:
  /// Throws io::Error missing_input; bad_data where it has not the columns that are needed.
  explicit DocumentRows(const std::filesystem::path& path);
  /// Whether there is a further document; then it is in row. Throws io::Error bad_data naming file and line for what no
  /// evaluation writes.
  bool next(DocumentRow& row);

 private:
  bool read_fields();
  const std::string& field(std::size_t column) const;
  std::uint64_t number(std::size_t column) const;
  [[noreturn]] void refuse(const std::string& what) const;

  enum Column { index, domain, source, line, text_hash, bytes, words, tokens, nonfinite, nats, end_tokens, end_nats };
  std::filesystem::path path_;
  std::ifstream file_;
  std::uint64_t line_ = 0;
  std::vector<std::string> fields_;
  std::vector<std::size_t> columns_;  ///< where each Column is
  std::uint64_t rows_ = 0;
};

}  // namespace chainrule::pipeline::evaluate::compare
