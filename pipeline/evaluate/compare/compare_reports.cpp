#include "pipeline/evaluate/compare/compare_reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numbers>

#include "io/error.h"
#include "io/quote.h"
#include "pipeline/evaluate/compare/document_rows.h"
#include "pipeline/evaluate/report/read_report.h"

namespace chainrule::pipeline::evaluate::compare {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& what) { throw io::Error(io::ErrorKind::bad_data, what); }

/// A report that is read beside others.
struct Reading {
  explicit Reading(const fs::path& folder)
      : path(folder), report(report::read_report(folder / "report.json")), rows(folder / "documents.csv") {}

  std::string name() const { return io::path_in_quotes(path); }

  fs::path path;
  report::EvaluationReport report;
  DocumentRows rows;
  DocumentRow row;
};

/// Documents that moved most, best first.
class MostMoved {
 public:
  MostMoved(std::size_t most, bool improved) : most_(most), sign_(improved ? -1 : 1) {}

  void look_at(const DocumentRow& row, double nats) {
    if (most_ == 0 || sign_ * nats <= 0) return;
    if (moved_.size() == most_ && sign_ * moved_.back().nats >= sign_ * nats) return;
    const double bits = row.bytes == 0 ? 0 : nats / (std::numbers::ln2 * static_cast<double>(row.bytes));
    const auto at = std::find_if(moved_.begin(), moved_.end(),
                                 [&](const MovedDocument& each) { return sign_ * each.nats < sign_ * nats; });
    moved_.insert(at, {row.index, row.domain, row.source, row.line, nats, bits});
    if (moved_.size() > most_) moved_.pop_back();
  }
  const std::vector<MovedDocument>& documents() const { return moved_; }

 private:
  std::size_t most_;
  double sign_;
  std::vector<MovedDocument> moved_;
};

void add(const DocumentRow& first, const DocumentRow& other, bool same_tokens, PairedDifference& difference) {
  const double nats = *other.text_nats - *first.text_nats;
  difference.bits_per_byte.add(nats / std::numbers::ln2, static_cast<double>(first.bytes));
  if (same_tokens) difference.nats_per_token.add(nats, static_cast<double>(first.text_tokens));
  ++(nats < 0 ? difference.better : nats > 0 ? difference.worse : difference.same);
}

PairedDifference& of_domain(const std::string& name, Comparison& comparison) {
  for (auto& [known, difference] : comparison.domains) {
    if (known == name) return difference;
  }
  return comparison.domains.emplace_back(name, PairedDifference()).second;
}

/// Reads all reports side by side, document by document.
class SideBySide {
 public:
  explicit SideBySide(const std::vector<fs::path>& folders) {
    for (const fs::path& folder : folders) readings_.emplace_back(folder);
    for (std::size_t i = 1; i < readings_.size(); ++i) {
      check_covered(readings_[i]);
      check_windows(readings_[i]);
    }
  }

  /// Whether there is a further document in all of them; then it is the same text in each.
  bool next() {
    const bool there = first().rows.next(first().row);
    for (std::size_t i = 1; i < readings_.size(); ++i) {
      if (readings_[i].rows.next(readings_[i].row) != there) {
        refuse(fmt::format("{} and {} list different numbers of documents", first().name(), readings_[i].name()));
      }
    }
    if (!there) return false;
    for (const Reading& each : readings_) check_finite(each);
    for (std::size_t i = 1; i < readings_.size(); ++i) check_same_text(readings_[i]);
    return true;
  }

  Reading& first() { return readings_.front(); }
  std::deque<Reading>& all() { return readings_; }
  bool same_tokens(const Reading& other) {
    return other.report.subject.data_fingerprint == first().report.subject.data_fingerprint &&
           other.report.subject.tokenizer_fingerprint == first().report.subject.tokenizer_fingerprint;
  }

 private:
  void check_covered(const Reading& other) {
    if (other.report.overall.documents == first().report.overall.documents) return;
    refuse(fmt::format("{} covers {} documents, {} covers {}: compare reports over the same texts", first().name(),
                       first().report.overall.documents, other.name(), other.report.overall.documents));
  }

  /// Of joined text protocols score what fits their windows: only the same windows score the same tokens.
  void check_windows(const Reading& other) {
    const auto& a = first().report.subject.windows;
    const auto& b = other.report.subject.windows;
    if (a.protocol == b.protocol && a.context_length == b.context_length && a.stride == b.stride) return;
    if (a.protocol->text != windows::protocol::Text::joined && b.protocol->text != windows::protocol::Text::joined)
      return;
    const auto say = [](const windows::protocol::ScoringOptions& windows) {
      return fmt::format("protocol {} in contexts of {}", windows.protocol->name, windows.context_length);
    };
    refuse(fmt::format("{} is by {}, {} by {}: they score different tokens; compare reports of one protocol",
                       first().name(), say(a), other.name(), say(b)));
  }

  void check_same_text(const Reading& other) {
    const DocumentRow& a = first().row;
    const DocumentRow& b = other.row;
    if (a.bytes != b.bytes || a.words != b.words) {
      differ(other, fmt::format("{} bytes, {} words and {} bytes, {} words", a.bytes, a.words, b.bytes, b.words));
    }
    if (a.text_hash != b.text_hash && !a.text_hash.empty() && !b.text_hash.empty()) {
      differ(other, fmt::format("texts of hash {} and {}", a.text_hash, b.text_hash));
    }
    if (same_tokens(other) && a.text_tokens != b.text_tokens) {
      refuse(fmt::format("{} and {} score different tokens: {} and {} of document {}; compare reports of one protocol",
                         first().name(), other.name(), a.text_tokens, b.text_tokens, a.index));
    }
    const bool told = (!a.text_hash.empty() && !b.text_hash.empty()) ||
                      other.report.subject.data_fingerprint == first().report.subject.data_fingerprint;
    if (!told) {
      refuse(
          fmt::format("whether {} and {} are over the same texts cannot be told: their data sets differ and were "
                      "packed before hashes of texts were kept; pack them again",
                      first().name(), other.name()));
    }
  }

  [[noreturn]] void differ(const Reading& other, const std::string& how) {
    const auto place = [](const DocumentRow& row) {
      return row.line.empty() ? io::in_quotes(row.source)
                              : fmt::format("{} line {}", io::in_quotes(row.source), row.line);
    };
    refuse(fmt::format("{} and {} are over different texts: document {} ({}, {}) has {}", first().name(), other.name(),
                       first().row.index, place(first().row), place(other.row), how));
  }

  static void check_finite(const Reading& each) {
    if (each.row.text_nats) return;
    refuse(fmt::format("{}: document {} has tokens without a finite result", each.name(), each.row.index));
  }

  std::deque<Reading> readings_;
};

/// The models' spread, and how much of it comes from documents that they differ on.
class Spread {
 public:
  explicit Spread(std::size_t models) : models_(models), deviations_(models) {}

  void add(const std::deque<Reading>& readings) {
    const auto bytes = static_cast<double>(readings.front().row.bytes);
    double mean = 0;
    for (const Reading& each : readings) mean += *each.row.text_nats / std::numbers::ln2;
    mean /= static_cast<double>(models_);
    mean_.add(mean, bytes);
    for (std::size_t i = 0; i < models_; ++i) {
      deviations_[i].add(*readings[i].row.text_nats / std::numbers::ln2 - mean, bytes);
    }
  }

  void finish(Comparisons& comparisons) const {
    comparisons.mean_bits_per_byte = mean_.ratio();
    comparisons.corpus_error = mean_.standard_error();
    const auto count = static_cast<double>(models_);
    double variance = 0;      // of models around their mean
    double by_documents = 0;  // what documents add to it: the deviations' own clustered errors
    for (const tally::RatioOfSums& each : deviations_) {
      if (!each.standard_error()) return;
      variance += *each.ratio() * *each.ratio() / (count - 1);
      by_documents += *each.standard_error() * *each.standard_error() / (count - 1);
    }
    comparisons.training_error = std::sqrt(std::max(0.0, variance - by_documents) / count);
  }

 private:
  std::size_t models_;
  tally::RatioOfSums mean_;
  std::vector<tally::RatioOfSums> deviations_;
};

}  // namespace

Comparisons compare_reports(const std::vector<fs::path>& folders, std::size_t most_moved) {
  SideBySide reports(folders);
  Comparisons result;
  std::vector<MostMoved> improved;
  std::vector<MostMoved> worsened;
  for (std::size_t i = 1; i < folders.size(); ++i) {
    const Reading& other = reports.all()[i];
    result.others.push_back({other.path, other.report, reports.same_tokens(other), {}, {}, {}, {}});
    improved.emplace_back(most_moved, true);
    worsened.emplace_back(most_moved, false);
  }
  Spread spread(folders.size());
  while (reports.next()) {
    const DocumentRow& first = reports.first().row;
    if (first.text_tokens == 0 && first.bytes == 0) continue;
    for (std::size_t i = 0; i < result.others.size(); ++i) {
      Comparison& comparison = result.others[i];
      const DocumentRow& other = reports.all()[i + 1].row;
      add(first, other, comparison.same_tokens, comparison.overall);
      add(first, other, comparison.same_tokens, of_domain(first.domain, comparison));
      improved[i].look_at(first, *other.text_nats - *first.text_nats);
      worsened[i].look_at(first, *other.text_nats - *first.text_nats);
    }
    spread.add(reports.all());
  }
  for (std::size_t i = 0; i < result.others.size(); ++i) {
    result.others[i].improved = improved[i].documents();
    result.others[i].worsened = worsened[i].documents();
  }
  spread.finish(result);
  result.path = reports.first().path;
  result.report = reports.first().report;
  return result;
}

}  // namespace chainrule::pipeline::evaluate::compare
