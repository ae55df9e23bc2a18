#pragma once
#include "io/files/versioned_json.h"
#include "pipeline/evaluate/report/evaluation_report.h"

// The fields of report.json, in its order: written and read by the same lists.
namespace chainrule::pipeline::evaluate::report {

inline constexpr io::files::JsonFormat kReportFormat = {"chainrule evaluation report", 2};

/// Calls field(name, member) for each field of a (const) EvaluationSubject but the protocol and the average.
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

/// The field that a subject has only where its weights are an average.
inline constexpr const char* kAverageField = "average";

/// The same for each field of a (const) ProtocolResult but its lists.
template <class Result, class Field>
void for_each_field_of_protocol(Result& result, const Field& field) {
  field("difference", result.difference);
  field("prefix_token", result.prefix_token);
  field("tokens", result.tokens);
  field("context_minimum", result.context_minimum);
  field("context_median", result.context_median);
  field("context_maximum", result.context_maximum);
  field("context_mean", result.context_mean);
}
/// The same for each field of a (const) ProtocolResult::Dropped.
template <class Dropped, class Field>
void for_each_field_of_dropped(Dropped& dropped, const Field& field) {
  field("why", dropped.why);
  field("tokens", dropped.tokens);
}
/// The same for each field of a (const) ProtocolResult::Number.
template <class Number, class Field>
void for_each_field_of_number(Number& number, const Field& field) {
  field("name", number.name);
  field("normaliser", number.normaliser);
  field("cross_entropy_nats", number.cross_entropy_nats);
  field("perplexity", number.perplexity);
  field("perplexity_error", number.perplexity_error);
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
  field("cross_entropy_independent_standard_error_nats", summary.independent_standard_error_nats);
  field("cross_entropy_low_nats", summary.cross_entropy_low_nats);
  field("cross_entropy_high_nats", summary.cross_entropy_high_nats);
  field("perplexity", summary.perplexity);
  field("perplexity_low", summary.perplexity_low);
  field("perplexity_high", summary.perplexity_high);
  field("bits_per_byte", summary.bits_per_byte);
  field("byte_perplexity", summary.byte_perplexity);
  field("word_perplexity", summary.word_perplexity);
  field("top1_accuracy", summary.top1_accuracy);
  field("top5_accuracy", summary.top5_accuracy);
  field("predictive_entropy_nats", summary.predictive_entropy_nats);
  field("unigram_entropy_nats", summary.unigram_entropy_nats);
}

/// The same for each field of a (const) EvaluationReport that it has once, behind its overall summary.
template <class Report, class Field>
void for_each_field_of_report(Report& report, const Field& field) {
  field("uniform_nats", report.uniform_nats);
  field("macro_cross_entropy_nats", report.macro_cross_entropy_nats);
  field("macro_perplexity", report.macro_perplexity);
  field("macro_bits_per_byte", report.macro_bits_per_byte);
  field("expected_calibration_error", report.expected_calibration_error);
}

/// The same for each field of a (const) BandSummary.
template <class Summary, class Field>
void for_each_field_of_band(Summary& band, const Field& field) {
  field("from", band.from);
  field("to", band.to);
  field("tokens_scored", band.tokens_scored);
  field("nonfinite_tokens", band.nonfinite_tokens);
  field("cross_entropy_nats", band.cross_entropy_nats);
  field("perplexity", band.perplexity);
  field("top1_accuracy", band.top1_accuracy);
  field("predictive_entropy_nats", band.predictive_entropy_nats);
}

/// The same for each field of a (const) CalibrationBin.
template <class Bin, class Field>
void for_each_field_of_bin(Bin& bin, const Field& field) {
  field("from", bin.from);
  field("to", bin.to);
  field("tokens", bin.tokens);
  field("expected", bin.expected);
  field("observed", bin.observed);
}

/// The same for each field of a (const) BaselineResult but its quantiles. Measures are objects.
template <class Result, class Field>
void for_each_field_of_baseline(Result& result, const Field& field) {
  field("weights_hash", result.model.weights_hash);
  field("step", result.model.step);
  field("tokens_scored", result.tokens_scored);
  field("nonfinite_tokens", result.nonfinite_tokens);
  field("kl_nats", result.kl_nats);
  field("same_top", result.same_top);
  field("cross_entropy_nats", result.cross_entropy_nats);
  field("perplexity", result.perplexity);
  field("log_perplexity_ratio", result.log_perplexity_ratio);
  field("perplexity_ratio", result.perplexity_ratio);
  field("correlation", result.correlation);
  field("probability_change", result.probability_change);
  field("probability_change_rms", result.probability_change_rms);
}
/// The same for each field of a (const) BaselineResult::Measure.
template <class Measure, class Field>
void for_each_field_of_measure(Measure& measure, const Field& field) {
  field("value", measure.value);
  field("standard_error", measure.standard_error);
  field("independent_standard_error", measure.independent_standard_error);
}
/// The same for each field of a (const) BaselineResult::Quantile.
template <class Quantile, class Field>
void for_each_field_of_quantile(Quantile& quantile, const Field& field) {
  field("fraction", quantile.fraction);
  field("kl_nats", quantile.kl_nats);
  field("probability_change", quantile.probability_change);
}

/// Calls list(name, member) for each list of bands of a (const) EvaluationReport.
template <class Report, class List>
void for_each_list_of_bands(Report& report, const List& list) {
  list("by_context", report.contexts);
  list("by_document_length", report.lengths);
  list("by_token_frequency", report.frequencies);
}

}  // namespace chainrule::pipeline::evaluate::report
