// Reports that tests make, compared.
#include "pipeline/evaluate/compare/compare_reports.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numbers>
#include <random>

#include "io/error.h"
#include "io/files/temporary_folder.h"
#include "io/tokens/memory_stream.h"
#include "pipeline/evaluate/compare/document_rows.h"
#include "pipeline/evaluate/report/render.h"

namespace chainrule::pipeline::evaluate::compare {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A document as some model scored it.
struct Scored {
  std::uint64_t bytes = 100;
  std::vector<double> nats;  ///< of its tokens
  std::uint16_t domain = 0;
  std::optional<std::uint64_t> text_hash = 1;
};

class CompareReports : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::vector<Scored>& documents,
                 const std::string& data_fingerprint = "d") const {
    const fs::path folder = folder_ / name;
    fs::create_directories(folder);
    io::tokens::MemoryStream data({100, 99, 99}, {"prose", "a \"quoted\", domain"});
    tally::EvaluationTallies tallies(2, folder);
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const Scored& document = documents[i];
      data.append(std::vector<std::uint32_t>(document.nats.size()),
                  {.bytes = document.bytes, .words = 2, .domain = document.domain, .text_hash = document.text_hash},
                  {"a, \"b\".jsonl", i + 1});
      for (const double nats : document.nats) {
        tally::ScoredToken token;
        token.document = i;
        token.domain = document.domain;
        token.nats = nats;
        token.nll.add(nats);
        tallies.add(token);
      }
    }
    report::EvaluationSubject subject;
    subject.windows = {&windows::protocol::kDocument, 8, 4};
    subject.data_fingerprint = data_fingerprint;
    subject.tokenizer_fingerprint = data_fingerprint;
    subject.vocabulary_size = 100;
    subject.documents = documents.size();
    const auto made = report::make_report(subject, data.domains(), data.documents(), tallies);
    std::ofstream(folder / "report.json") << report::to_text(report::render_json(made));
    std::ofstream csv(folder / "documents.csv", std::ios::binary);
    report::render_documents_csv(data, documents.size(), tallies.documents,
                                 [&](std::string_view piece) { csv << piece; });
    return folder;
  }

  std::string refusal(const std::vector<fs::path>& folders) const {
    try {
      compare_reports(folders);
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), io::ErrorKind::bad_data) << error.what();
      return error.what();
    }
    return "";
  }

  io::files::TemporaryFolder temporary_;
  const fs::path& folder_ = temporary_.path();
};

TEST_F(CompareReports, PairsDocumentsAndNamesWhatMoved) {
  const fs::path first = write("first", {{100, {2, 3}}, {50, {4}}, {200, {1, 1, 1}, 1}, {10, {1}}});
  const fs::path other = write("other", {{100, {1, 3}}, {50, {4}}, {200, {1, 1, 3}, 1}, {10, {0.5}}});
  const Comparisons compared = compare_reports({first, other}, 1);
  ASSERT_EQ(compared.others.size(), 1U);
  const Comparison& comparison = compared.others[0];
  EXPECT_TRUE(comparison.same_tokens);
  EXPECT_NEAR(comparison.overall.bits_per_byte.ratio().value(), 0.5 / std::numbers::ln2 / 360, 1e-12);
  EXPECT_NEAR(comparison.overall.nats_per_token.ratio().value(), 0.5 / 7, 1e-12);
  EXPECT_EQ(comparison.overall.better, 2U);
  EXPECT_EQ(comparison.overall.same, 1U);
  EXPECT_EQ(comparison.overall.worse, 1U);
  ASSERT_EQ(comparison.domains.size(), 2U);
  EXPECT_EQ(comparison.domains[1].first, "a \"quoted\", domain");
  EXPECT_NEAR(comparison.domains[1].second.nats_per_token.ratio().value(), 2.0 / 3, 1e-12);
  ASSERT_EQ(comparison.improved.size(), 1U);
  EXPECT_EQ(comparison.improved[0].index, 0U);
  EXPECT_EQ(comparison.improved[0].source, "a, \"b\".jsonl");
  EXPECT_EQ(comparison.improved[0].line, "1");
  EXPECT_DOUBLE_EQ(comparison.improved[0].nats, -1);
  ASSERT_EQ(comparison.worsened.size(), 1U);
  EXPECT_EQ(comparison.worsened[0].index, 2U);
  EXPECT_THAT(as_text(compared), HasSubstr("improved most:\n        -1.000 nats"));
  const auto json = to_json(compared);
  EXPECT_EQ(json["others"][0]["overall"]["better"], 2);
  EXPECT_NEAR(json["others"][0]["domains"]["prose"]["nats_per_token"]["difference"].get<double>(), -1.5 / 4, 1e-12);
}

TEST_F(CompareReports, OtherTokensAreComparedPerByte) {
  const fs::path first = write("first", {{100, {2, 3}}, {50, {4}}});
  const fs::path other = write("other", {{100, {1, 1, 1, 1}}, {50, {2, 2}}}, "e");
  const Comparison comparison = compare_reports({first, other}).others[0];
  EXPECT_FALSE(comparison.same_tokens);
  EXPECT_NEAR(comparison.overall.bits_per_byte.ratio().value(), -1 / std::numbers::ln2 / 150, 1e-12);
  EXPECT_EQ(comparison.overall.nats_per_token.documents(), 0U);
}

TEST_F(CompareReports, OtherTextsAreRefusedSayingWhere) {
  const std::vector<Scored> documents = {{100, {2, 3}}, {50, {4}}};
  const fs::path first = write("first", documents);
  auto other = documents;
  other[1].bytes = 51;
  EXPECT_THAT(refusal({first, write("bytes", other)}), testing::AllOf(HasSubstr("document 1 ("), HasSubstr("line 2"),
                                                                      HasSubstr("50 bytes, 2 words and 51 bytes")));
  other = documents;
  other[0].text_hash = 2;
  EXPECT_THAT(refusal({first, write("hash", other)}), HasSubstr("texts of hash 0000000000000001 and 0000000000000002"));
  other.pop_back();
  EXPECT_THAT(refusal({first, write("fewer", other)}), HasSubstr("covers 1"));
  other = documents;
  for (Scored& each : other) each.text_hash.reset();
  EXPECT_EQ(refusal({first, write("unknown", other)}), "") << "the same data set";
  EXPECT_THAT(refusal({first, write("unknown elsewhere", other, "e")}), HasSubstr("cannot be told"));
  other = documents;
  other[1].nats[0] = std::nan("");
  EXPECT_THAT(refusal({first, write("broken", other)}), HasSubstr("document 1 has tokens without a finite result"));
}

TEST_F(CompareReports, DamagedFilesAreRefused) {
  const fs::path first = write("first", {{100, {2, 3}}, {50, {4}}});
  const fs::path other = write("other", {{100, {2, 3}}, {50, {4}}});
  std::ifstream file(other / "documents.csv", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::ofstream(other / "documents.csv", std::ios::binary) << whole.substr(0, size);
    EXPECT_NE(refusal({first, other}), "") << size;
  }
  std::string long_line = whole;
  long_line.insert(whole.find("\r\n") + 2, std::string(2 << 20, 'x'));
  std::ofstream(other / "documents.csv", std::ios::binary) << long_line;
  EXPECT_THAT(refusal({first, other}), HasSubstr("line 2 goes on for more than 1 MiB"));
}

/// Models that differ by what training left to chance, on documents that differ too: each part is found again.
TEST_F(CompareReports, TrainingAndCorpusAreToldApart) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise;
  constexpr int kModels = 6;
  constexpr int kDocuments = 150;
  constexpr double kTraining = 0.5;
  constexpr double kCorpus = 2;
  constexpr int kTimes = 60;
  double training = 0;
  double corpus = 0;
  for (int time = 0; time < kTimes; ++time) {
    std::vector<double> documents(kDocuments);
    for (double& each : documents) each = 20 + kCorpus * noise(random);
    std::vector<fs::path> folders;
    for (int model = 0; model < kModels; ++model) {
      const double own = kTraining * noise(random);
      std::vector<Scored> scored;
      for (const double each : documents) scored.push_back({100, {each + own + 0.7 * noise(random)}});
      folders.push_back(write(fmt::format("model {}", model), scored));
    }
    const Comparisons compared = compare_reports(folders, 0);
    training += std::pow(*compared.training_error * 100 * std::numbers::ln2, 2) / kTimes;
    corpus += std::pow(*compared.corpus_error * 100 * std::numbers::ln2, 2) / kTimes;
  }
  EXPECT_NEAR(training, kTraining * kTraining / kModels, 0.25 * kTraining * kTraining / kModels);
  const double expected = (kCorpus * kCorpus + 0.49 / kModels) / kDocuments;
  EXPECT_NEAR(corpus, expected, 0.1 * expected);
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::compare
