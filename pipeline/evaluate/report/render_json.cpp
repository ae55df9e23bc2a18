#include <nlohmann/json.hpp>

#include "io/files/versioned_json.h"
#include "pipeline/evaluate/report/render.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

using Json = nlohmann::ordered_json;

Json value_of(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

void write_summary(const EvaluationSummary& summary, Json& json) {
  json["documents"] = summary.documents;
  json["documents_in_data"] = summary.documents_in_data;
  json["bytes"] = summary.bytes;
  json["words"] = summary.words;
  json["tokens_scored"] = summary.tokens_scored();
  json["nonfinite_tokens"] = summary.nonfinite_tokens();
  json["nll_nats"] = value_of(summary.nll_nats);
  json["end_of_text_tokens"] = summary.score.end_of_text.count();
  json["end_of_text_nll_nats"] = value_of(summary.end_of_text_nll_nats);
  json["cross_entropy_nats"] = value_of(summary.cross_entropy_nats);
  json["cross_entropy_standard_error_nats"] = value_of(summary.standard_error_nats);
  json["perplexity"] = value_of(summary.perplexity);
  json["bits_per_byte"] = value_of(summary.bits_per_byte);
  json["byte_perplexity"] = value_of(summary.byte_perplexity);
  json["word_perplexity"] = value_of(summary.word_perplexity);
  json["unigram_entropy_nats"] = value_of(summary.unigram_entropy_nats);
}

}  // namespace

Json render_json(const EvaluationReport& report) {
  const EvaluationSubject& subject = report.subject;
  Json json = io::files::begin_json({"chainrule evaluation report", 1});
  json["complete"] = report.complete();
  json["protocol"] = subject.windows.protocol->name;
  json["context_length"] = subject.windows.context_length;
  json["stride"] = subject.windows.stride;
  json["weights_hash"] = subject.weights_hash;
  json["step"] = subject.step;
  json["data_fingerprint"] = subject.data_fingerprint;
  json["tokenizer_fingerprint"] = subject.tokenizer_fingerprint;
  json["vocabulary_size"] = subject.vocabulary_size;
  json["uniform_nats"] = report.uniform_nats;
  write_summary(report.overall, json);
  json["domains"] = Json::object();
  for (const auto& domain : report.domains) write_summary(domain.summary, json["domains"][domain.name]);
  return json;
}

}  // namespace chainrule::pipeline::evaluate::report
