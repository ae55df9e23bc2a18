#include <fmt/format.h>

#include <iterator>

#include "pipeline/evaluate/report/render.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

/// RFC 4180: quoted where it holds a comma, a quote or a line break; quotes doubled.
std::string field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

/// The shortest digits that read back as the same number; empty where undefined.
std::string field(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : std::string(); }

constexpr std::string_view kMeasuresHeader =
    "bytes,words,tokens_scored,nonfinite_tokens,nll_nats,end_of_text_tokens,end_of_text_nll_nats,"
    "cross_entropy_nats,perplexity,bits_per_byte,byte_perplexity,word_perplexity";

std::string measures(const EvaluationSummary& summary) {
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}", summary.bytes, summary.words, summary.tokens_scored,
                     summary.nonfinite_tokens, field(summary.nll_nats), summary.end_of_text_tokens,
                     field(summary.end_of_text_nll_nats), field(summary.cross_entropy_nats), field(summary.perplexity),
                     field(summary.bits_per_byte), field(summary.byte_perplexity), field(summary.word_perplexity));
}

}  // namespace

std::string render_domains_csv(const EvaluationReport& report) {
  std::string text = fmt::format(
      "scope,domain,documents,documents_in_data,{},cross_entropy_standard_error_nats,unigram_entropy_nats\r\n",
      kMeasuresHeader);
  const auto line = [&](std::string_view scope, std::string_view name, const EvaluationSummary& summary) {
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{},{}\r\n", scope, field(name), summary.documents,
                   summary.documents_in_data, measures(summary), field(summary.standard_error_nats),
                   field(summary.unigram_entropy_nats));
  };
  for (const auto& domain : report.domains) line("domain", domain.name, domain.summary);
  line("overall", "", report.overall);
  return text;
}

void render_documents_csv(std::span<const std::string> domains, std::span<const io::tokens::DocumentRecord> documents,
                          std::span<const io::tokens::DocumentSource> sources,
                          std::span<const tally::DocumentScore> scores, const TextSink& sink) {
  sink(fmt::format("index,domain,source,line,{}\r\n", kMeasuresHeader));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const io::tokens::DocumentRecord& document = documents[i];
    sink(fmt::format("{},{},{},{},{}\r\n", i, field(domains[document.domain]), field(sources[i].file),
                     sources[i].line == 0 ? std::string() : fmt::format("{}", sources[i].line),
                     measures(summary_of(document, scores[i]))));
  }
}

}  // namespace chainrule::pipeline::evaluate::report
