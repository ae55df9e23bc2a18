#include "pipeline/evaluate/report/evaluation_report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/temporary_folder.h"
#include "io/tokens/memory_stream.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/report/report_folder.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

/// What a document's tokens got: nats / tokens each.
struct Score {
  double nats = 0;
  int tokens = 0;
  double end_of_text = -1;  // below 0: not scored
  double last = 0;          // of a further token, where it is not 0
};
Score score_of(double nats, int tokens) { return {nats, tokens}; }

const std::vector<std::string> kDomains = {"news, \"fresh\"", "code"};

tally::EvaluationTallies tallies_of(const std::vector<io::tokens::DocumentRecord>& documents,
                                    const std::vector<Score>& scores) {
  tally::EvaluationTallies tallies(2, testing::TempDir());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    tally::ScoredToken token;
    token.document = i;
    token.domain = documents[i].domain;
    const auto add = [&](double nats, bool ends_document) {
      token.nats = nats;
      token.nll = {};
      token.nll.add(nats);
      token.ends_document = ends_document;
      ++token.context;
      tallies.add(token);
    };
    for (int k = 0; k < scores[i].tokens; ++k) add(scores[i].nats / scores[i].tokens, false);
    if (scores[i].last != 0) add(scores[i].last, false);
    if (scores[i].end_of_text >= 0) add(scores[i].end_of_text, true);
  }
  return tallies;
}

EvaluationSubject subject_of(std::uint64_t documents) {
  EvaluationSubject subject;
  subject.windows = {&windows::protocol::kDocument, 8, 4};
  subject.weights_hash = "00ff";
  subject.step = 12;
  subject.data_fingerprint = "d";
  subject.tokenizer_fingerprint = "t";
  subject.vocabulary_size = 100;
  subject.documents = documents;
  return subject;
}

EvaluationReport report_of(const std::vector<io::tokens::DocumentRecord>& documents, const std::vector<Score>& scores) {
  return make_report(subject_of(scores.size()), kDomains, documents, tallies_of(documents, scores));
}

// The vector of token weighting: 2 nats over 1 token, 90 nats over 9 tokens.
const std::vector<io::tokens::DocumentRecord> kTwoDocuments = {{0, 2, 10, 2, 0}, {2, 10, 36, 9, 1}};

TEST(EvaluationReport, WeighsTokensNotDocumentsOrDomains) {
  const auto report = report_of(kTwoDocuments, {score_of(2, 1), score_of(90, 9)});
  EXPECT_DOUBLE_EQ(report.overall.cross_entropy_nats.value(), 9.2);
  EXPECT_DOUBLE_EQ(report.overall.perplexity.value(), std::exp(9.2));
  EXPECT_EQ(report.overall.tokens_scored, 10U);
  EXPECT_DOUBLE_EQ(report.domains[0].summary.cross_entropy_nats.value(), 2.0);
  EXPECT_DOUBLE_EQ(report.domains[1].summary.cross_entropy_nats.value(), 10.0);
  // The negative control: a mean of the documents' (here also the domains') means is another number.
  const double mean_of_means =
      (*report.domains[0].summary.cross_entropy_nats + *report.domains[1].summary.cross_entropy_nats) / 2;
  EXPECT_GT(std::abs(*report.overall.cross_entropy_nats - mean_of_means), 1.0);
}

TEST(EvaluationReport, BytesAndWordsMeasureTheTextWithoutEndOfText) {
  Score score = score_of(90, 9);
  score.end_of_text = 7;
  const auto report = report_of(kTwoDocuments, {score_of(2, 1), score});
  const auto& all = report.overall;
  EXPECT_DOUBLE_EQ(all.nll_nats.value(), 99.0);
  EXPECT_DOUBLE_EQ(all.end_of_text_nll_nats.value(), 7.0);
  EXPECT_EQ(all.end_of_text_tokens, 1U);
  EXPECT_DOUBLE_EQ(all.cross_entropy_nats.value(), 99.0 / 11);
  EXPECT_DOUBLE_EQ(all.bits_per_byte.value(), 92.0 / (std::numbers::ln2 * 46));
  EXPECT_DOUBLE_EQ(all.byte_perplexity.value(), std::exp(92.0 / 46));
  EXPECT_DOUBLE_EQ(all.word_perplexity.value(), std::exp(92.0 / 11));
}

TEST(EvaluationReport, StandardErrorIsClusteredByDocument) {
  const auto report = report_of(kTwoDocuments, {score_of(2, 1), score_of(90, 9)});
  // H = 9.2: deviations 2 - 9.2 = -7.2 and 90 - 82.8 = 7.2; D / (D - 1) = 2.
  EXPECT_NEAR(report.overall.standard_error_nats.value(), std::sqrt(2 * 2 * 7.2 * 7.2) / 10, 1e-9);
  EXPECT_FALSE(report.domains[0].summary.standard_error_nats.has_value()) << "one document has no spread";
}

TEST(EvaluationReport, NonFiniteResultsNullTheValuesOfWhatHoldsThem) {
  Score broken = score_of(90, 9);
  broken.last = std::numeric_limits<double>::quiet_NaN();
  const auto report = report_of(kTwoDocuments, {score_of(2, 1), broken});
  EXPECT_EQ(report.overall.nonfinite_tokens, 1U);
  EXPECT_EQ(report.overall.tokens_scored, 10U);
  EXPECT_TRUE(report.domains[0].summary.perplexity.has_value());
  const auto json = render_json(report);
  for (const char* name : {"nll_nats", "cross_entropy_nats", "cross_entropy_standard_error_nats", "perplexity",
                           "bits_per_byte", "byte_perplexity", "word_perplexity", "end_of_text_nll_nats"}) {
    EXPECT_TRUE(json.at(name).is_null()) << name;
    EXPECT_TRUE(json.at("domains").at("code").at(name).is_null()) << name;
  }
  EXPECT_NE(render_table(report).find("1 tokens have no finite result"), std::string::npos);
}

TEST(EvaluationReport, APerplexityThatOverflowsIsNull) {
  const auto report = report_of(kTwoDocuments, {score_of(2, 1), score_of(90'000, 9)});
  EXPECT_DOUBLE_EQ(report.overall.cross_entropy_nats.value(), 9000.2);
  EXPECT_TRUE(render_json(report).at("perplexity").is_null());
}

TEST(EvaluationReport, SaysWhenItCoversPart) {
  const auto part = report_of(kTwoDocuments, {score_of(2, 1)});
  const auto json = render_json(part);
  EXPECT_EQ(json["complete"], false);
  EXPECT_EQ(json["documents"], 1);
  EXPECT_EQ(json["documents_in_data"], 2);
  EXPECT_EQ(json["domains"]["code"]["documents"], 0);
  EXPECT_TRUE(json["domains"]["code"]["cross_entropy_nats"].is_null());
  EXPECT_NE(render_table(part).find("the first 1 of 2 documents"), std::string::npos);
  EXPECT_EQ(render_json(report_of(kTwoDocuments, {score_of(2, 1), score_of(90, 9)}))["complete"], true);
}

TEST(EvaluationReport, UnigramEntropyAndUniformModel) {
  tally::EvaluationTallies tallies(2, testing::TempDir());
  tally::ScoredToken token;
  token.nll.add(1);
  const auto add = [&](std::uint64_t document, std::uint32_t id, int times) {
    token.document = document;
    token.domain = static_cast<std::uint16_t>(document);
    token.token = id;
    for (int i = 0; i < times; ++i) tallies.add(token);
  };
  add(0, 7, 2);
  add(0, 8, 1);
  add(0, 9, 1);
  add(1, 7, 4);
  const auto report = make_report(subject_of(2), kDomains, kTwoDocuments, tallies);
  EXPECT_NEAR(report.domains[0].summary.unigram_entropy_nats.value(), 1.5 * std::numbers::ln2, 1e-12);
  EXPECT_EQ(report.domains[1].summary.unigram_entropy_nats.value(), 0.0);
  const double mixed = -(0.75 * std::log(0.75) + 2 * 0.125 * std::log(0.125));
  EXPECT_NEAR(report.overall.unigram_entropy_nats.value(), mixed, 1e-12);
  EXPECT_DOUBLE_EQ(report.uniform_nats, std::log(100.0));
  EXPECT_FALSE(tally::UnigramCounts(1).entropy_nats().has_value());
}

TEST(EvaluationReport, IntervalsAndTheErrorOfIndependentTokens) {
  const auto& overall = report_of(kTwoDocuments, {score_of(2, 1), score_of(90, 9)}).overall;
  // One token of 2 nats, nine of 10: the mean is 9.2, the variance 5.76.
  EXPECT_NEAR(overall.independent_standard_error_nats.value(), std::sqrt(5.76 / 9), 1e-9);
  const double reach = 1.959963984540054 * *overall.standard_error_nats;
  EXPECT_DOUBLE_EQ(overall.cross_entropy_low_nats.value(), 9.2 - reach);
  EXPECT_DOUBLE_EQ(overall.perplexity_high.value(), std::exp(9.2 + reach));
}

TEST(EvaluationReport, MacroAveragesCountDomainsAlike) {
  const auto report = report_of(kTwoDocuments, {score_of(2, 1), score_of(90, 9)});
  EXPECT_DOUBLE_EQ(report.macro_cross_entropy_nats.value(), 6.0);
  EXPECT_DOUBLE_EQ(report.macro_perplexity.value(), std::exp(6.0));
  const double bits = (2 / (std::numbers::ln2 * 10) + 90 / (std::numbers::ln2 * 36)) / 2;
  EXPECT_DOUBLE_EQ(report.macro_bits_per_byte.value(), bits);
  const auto one = report_of(kTwoDocuments, {score_of(2, 1)});
  EXPECT_DOUBLE_EQ(one.macro_cross_entropy_nats.value(), 2.0) << "the other domain has nothing";
}

TEST(EvaluationReport, JsonCarriesTheFieldsAtItsTopLevel) {
  const auto json = render_json(report_of(kTwoDocuments, {score_of(2, 1), score_of(90, 9)}));
  EXPECT_EQ(json["format"], "chainrule evaluation report");
  EXPECT_EQ(json["format_version"], 2);
  EXPECT_EQ(json["protocol"], "document");
  EXPECT_EQ(json["context_length"], 8);
  EXPECT_EQ(json["stride"], 4);
  EXPECT_EQ(json["weights_hash"], "00ff");
  EXPECT_EQ(json["step"], 12);
  EXPECT_EQ(json["tokens_scored"], 10);
  EXPECT_DOUBLE_EQ(json["nll_nats"].get<double>(), 92.0);
  EXPECT_EQ(json["nonfinite_tokens"], 0);
  EXPECT_EQ(json["end_of_text_tokens"], 0);
  EXPECT_EQ(json["end_of_text_nll_nats"], 0.0);
  EXPECT_EQ(json["domains"][kDomains[0]]["tokens_scored"], 1);
}

TEST(EvaluationReport, CsvQuotesItsFields) {
  io::tokens::MemoryStream data({100, 99, 99}, kDomains);
  data.append(std::vector<std::uint32_t>(1), {.bytes = 10, .words = 2, .domain = 0}, {"a,b.txt", 0});
  data.append(std::vector<std::uint32_t>(9), {.bytes = 36, .words = 9, .domain = 1, .text_hash = 255},
              {"lines.jsonl", 3});
  data.append(std::vector<std::uint32_t>(), {.bytes = 1, .words = 1, .domain = 1}, {"lines.jsonl", 4});
  const std::vector<Score> scores = {score_of(2, 1), score_of(90, 9)};
  const tally::EvaluationTallies tallies = tallies_of(data.documents(), scores);
  std::string text;
  const TextSink sink = [&](std::string_view piece) { text += piece; };
  render_documents_csv(data, 3, tallies.documents, sink);
  EXPECT_NE(text.find("\r\n0,\"news, \"\"fresh\"\"\",\"a,b.txt\",,,10,2,1,0,2,0,0,2,"), std::string::npos) << text;
  EXPECT_NE(text.find("\r\n1,code,lines.jsonl,3,00000000000000ff,36,9,9,0,90,0,0,10,"), std::string::npos) << text;
  EXPECT_NE(text.find("\r\n2,code,lines.jsonl,4,,1,1,0,0,0,0,0,,"), std::string::npos) << text;
  text.clear();
  render_sources_csv(data, 3, tallies.documents, sink);
  EXPECT_NE(text.find("\r\n\"a,b.txt\",1,10,2,1,0,2,"), std::string::npos) << text;
  EXPECT_NE(text.find("\r\nlines.jsonl,2,37,10,9,0,90,"), std::string::npos) << text;
  const std::string domains = render_domains_csv(report_of(kTwoDocuments, scores));
  EXPECT_NE(domains.find("\r\ndomain,\"news, \"\"fresh\"\"\",1,1,10,2,1,"), std::string::npos) << domains;
  EXPECT_NE(domains.find("\r\noverall,,2,2,46,11,10,"), std::string::npos) << domains;
  const std::string bands = render_bands_csv(report_of(kTwoDocuments, scores));
  EXPECT_NE(bands.find("\r\ncontext,1,1,2,0,6,"), std::string::npos) << bands;
}

class ReportFolderTest : public testing::Test {
 protected:
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  io::files::TemporaryFolder temporary_;
  const std::filesystem::path& folder_ = temporary_.path();
};

TEST_F(ReportFolderTest, AppearsWhole) {
  ReportFolder report(folder_ / "of a run" / "report");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "of a run" / "report"));
  report.begin();
  report.write("report.json", "{}\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "of a run" / "report"));
  report.commit();
  EXPECT_EQ(io::files::read_file(folder_ / "of a run" / "report" / "report.json"), "{}\n");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(ReportFolderTest, RefusesAFolderInUseAndAFile) {
  std::filesystem::create_directory(folder_ / "used");
  std::ofstream(folder_ / "used" / "precious") << "data";
  std::ofstream(folder_ / "file") << "data";
  std::filesystem::create_directory(folder_ / "empty");
  const auto kind_of = [&](const char* name) {
    try {
      const ReportFolder report(folder_ / name);
    } catch (const io::Error& error) {
      return static_cast<int>(error.kind());
    }
    return -1;
  };
  EXPECT_EQ(kind_of("used"), static_cast<int>(io::ErrorKind::cannot_create));
  EXPECT_EQ(kind_of("file"), static_cast<int>(io::ErrorKind::cannot_create));
  EXPECT_EQ(kind_of("file/below"), static_cast<int>(io::ErrorKind::cannot_create));
  EXPECT_EQ(kind_of("empty"), -1);
  EXPECT_EQ(entries(), 3U) << "a check leaves nothing behind";
}

TEST_F(ReportFolderTest, NeverReplacesWhatAppearedMeanwhile) {
  ReportFolder report(folder_ / "report");
  report.begin();
  report.write("report.json", "ours");
  std::filesystem::create_directory(folder_ / "report");
  std::ofstream(folder_ / "report" / "report.json") << "theirs";
  EXPECT_THROW(report.commit(), io::Error);
  EXPECT_EQ(io::files::read_file(folder_ / "report" / "report.json"), "theirs");
  EXPECT_EQ(entries(), 2U) << "ours is still there beside it";
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::report
