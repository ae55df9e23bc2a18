#pragma once
#include "io/files/versioned_json.h"
#include "pipeline/evaluate/report/evaluation_report.h"

// The fields of report.json, in its order: written and read by the same lists.
namespace chainrule::pipeline::evaluate::report {

inline constexpr io::files::JsonFormat kReportFormat = {"chainrule evaluation report", 1};

/// Calls field(name, member) for each field of a (const) EvaluationSubject but the protocol.
template <class Subject, class Field>
void for_each_field_of_subject(Subject& subject, const Field& field) {
  field("context_length", subject.windows.context_length);
  field("stride", subject.windows.stride);
  field("weights_hash", subject.weights_hash);
  field("step", subject.step);
  field("data_fingerprint", subject.data_fingerprint);
  field("tokenizer_fingerprint", subject.tokenizer_fingerprint);
  field("vocabulary_size", subject.vocabulary_size);
}

/// The same for each field of a (const) EvaluationSummary.
template <class Summary, class Field>
void for_each_field_of_summary(Summary& summary, const Field& field) {
  field("documents", summary.documents);
  field("documents_in_data", summary.documents_in_data);
  field("bytes", summary.bytes);
  field("words", summary.words);
  field("tokens_scored", summary.tokens_scored);
  field("nonfinite_tokens", summary.nonfinite_tokens);
  field("nll_nats", summary.nll_nats);
  field("end_of_text_tokens", summary.end_of_text_tokens);
  field("end_of_text_nll_nats", summary.end_of_text_nll_nats);
  field("cross_entropy_nats", summary.cross_entropy_nats);
  field("cross_entropy_standard_error_nats", summary.standard_error_nats);
  field("perplexity", summary.perplexity);
  field("bits_per_byte", summary.bits_per_byte);
  field("byte_perplexity", summary.byte_perplexity);
  field("word_perplexity", summary.word_perplexity);
  field("unigram_entropy_nats", summary.unigram_entropy_nats);
}

}  // namespace chainrule::pipeline::evaluate::report
