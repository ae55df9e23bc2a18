#include <fmt/format.h>

#include <iterator>

#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/report/source_table.h"

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
    "cross_entropy_nats,perplexity,bits_per_byte,byte_perplexity,word_perplexity,top1_accuracy,top5_accuracy,"
    "predictive_entropy_nats";

std::string measures(const EvaluationSummary& summary) {
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", summary.bytes, summary.words,
                     summary.tokens_scored, summary.nonfinite_tokens, field(summary.nll_nats),
                     summary.end_of_text_tokens, field(summary.end_of_text_nll_nats), field(summary.cross_entropy_nats),
                     field(summary.perplexity), field(summary.bits_per_byte), field(summary.byte_perplexity),
                     field(summary.word_perplexity), field(summary.top1_accuracy), field(summary.top5_accuracy),
                     field(summary.predictive_entropy_nats));
}

}  // namespace

std::string render_domains_csv(const EvaluationReport& report) {
  std::string text = fmt::format(
      "scope,domain,documents,documents_in_data,{},cross_entropy_standard_error_nats,perplexity_low,perplexity_high,"
      "unigram_entropy_nats\r\n",
      kMeasuresHeader);
  const auto line = [&](std::string_view scope, std::string_view name, const EvaluationSummary& summary) {
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{},{},{},{}\r\n", scope, field(name), summary.documents,
                   summary.documents_in_data, measures(summary), field(summary.standard_error_nats),
                   field(summary.perplexity_low), field(summary.perplexity_high), field(summary.unigram_entropy_nats));
  };
  for (const auto& domain : report.domains) line("domain", domain.name, domain.summary);
  line("overall", "", report.overall);
  return text;
}

std::string render_bands_csv(const EvaluationReport& report) {
  std::string text =
      "kind,from,to,tokens_scored,nonfinite_tokens,cross_entropy_nats,perplexity,top1_accuracy,"
      "predictive_entropy_nats\r\n";
  const auto lines = [&](std::string_view kind, const std::vector<BandSummary>& bands) {
    for (const BandSummary& band : bands) {
      fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{},{},{},{}\r\n", kind, band.from, band.to,
                     band.tokens_scored, band.nonfinite_tokens, field(band.cross_entropy_nats), field(band.perplexity),
                     field(band.top1_accuracy), field(band.predictive_entropy_nats));
    }
  };
  lines("context", report.contexts);
  lines("document_length", report.lengths);
  lines("token_frequency", report.frequencies);
  return text;
}

void render_documents_csv(const io::tokens::TokenStream& data, std::uint64_t covered,
                          const tally::DocumentTallies& tallies, const TextSink& sink) {
  sink(fmt::format("index,domain,source,line,text_hash,{}\r\n", kMeasuresHeader));
  SourceTable sources(data, covered);
  for_each_document(
      {data, covered}, covered, tallies,
      [&](std::uint64_t index, const io::tokens::DocumentRecord& document, const tally::TokenTally& tally) {
        const io::tokens::DocumentSource& source = sources[index];
        sink(fmt::format("{},{},{},{},{},{}\r\n", index, field(data.domains()[document.domain]), field(source.file),
                         source.line == 0 ? "" : fmt::format("{}", source.line),
                         document.text_hash ? fmt::format("{:016x}", *document.text_hash) : "",
                         measures(summary_of(document, tally))));
      });
}

void render_sources_csv(const io::tokens::TokenStream& data, std::uint64_t covered,
                        const tally::DocumentTallies& tallies, const TextSink& sink) {
  sink(fmt::format("source,documents,{}\r\n", kMeasuresHeader));
  SourceTable sources(data, covered);
  std::string file;
  DocumentGroup group;
  const auto close = [&] {
    if (group.documents() != 0) {
      sink(fmt::format("{},{},{}\r\n", field(file), group.documents(), measures(group.summary())));
    }
    group = {};
  };
  for_each_document(
      {data, covered}, covered, tallies,
      [&](std::uint64_t index, const io::tokens::DocumentRecord& document, const tally::TokenTally& tally) {
        const io::tokens::DocumentSource& source = sources[index];
        if (source.file != file) close();
        file = source.file;
        group.add(document, tally);
      });
  close();
}

}  // namespace chainrule::pipeline::evaluate::report
