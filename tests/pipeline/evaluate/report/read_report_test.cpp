#include "pipeline/evaluate/report/read_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/temporary_folder.h"
#include "pipeline/evaluate/report/make_protocol_result.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/tally/baseline_tallies.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

/// Two domains scored, one of them with results that are not finite, and one of no document; both kinds of protocol.
EvaluationReport made_report(const windows::protocol::Protocol& protocol, bool broken) {
  const std::vector<io::tokens::DocumentRecord> documents = {{0, 4, 10, 2, 0}, {4, 10, 36, 9, 1}, {14, 3, 0, 0, 1}};
  tally::EvaluationTallies tallies(3, testing::TempDir());
  tally::ScoredToken token;
  const auto add = [&](std::uint64_t document, double nats, bool ends_document = false) {
    token.document = document;
    token.document_tokens = documents[document].tokens - 1;
    token.domain = documents[document].domain;
    token.token = static_cast<std::uint32_t>(7 + document);
    token.context = token.context % 100 + 1;
    token.ends_document = ends_document;
    token.nats = nats;
    token.nll = {};
    token.nll.add(nats);
    token.entropy_nats = static_cast<float>(nats) / 3;
    token.top_probability = 1 / static_cast<float>(token.context);
    token.likelier = static_cast<std::uint32_t>(token.context % 7);
    tallies.add(token);
  };
  for (int i = 0; i < 3; ++i) add(0, 1.0 / 3 + i);
  for (int i = 0; i < 9; ++i) add(1, std::sqrt(2.0 + i) * 1000);
  add(1, 0.1, true);
  if (broken) add(2, std::numeric_limits<double>::quiet_NaN());
  EvaluationSubject subject;
  subject.windows = {&protocol, 1024, 512};
  subject.weights_hash = "00ff";
  subject.step = 1'000'000'000'000;
  subject.data_fingerprint = "d";
  subject.tokenizer_fingerprint = "t";
  subject.vocabulary_size = 50'257;
  subject.documents = 3;
  const std::vector<std::string> domains = {"news, \"fresh\"", "code", "\xe2\x82\xac empty"};
  EvaluationReport report = make_report(subject, domains, documents, tallies);
  tally::ProtocolTallies of_protocol = tallies_of_protocol(subject.windows);
  tally::ScoredToken alone;
  alone.window_scored = 1;
  alone.context = 1;
  alone.nll.add(broken ? std::numeric_limits<double>::quiet_NaN() : 3.5);
  of_protocol.add(alone);
  const bool has_prefix = protocol.prefix != windows::protocol::Prefix::none;
  report.protocol = make_protocol_result(subject.windows, has_prefix ? std::optional<std::uint32_t>(7) : std::nullopt,
                                         documents, report.overall, of_protocol);
  if (protocol.name != "packed") {  // the others beside a baseline
    tally::BaselineTallies beside(testing::TempDir());
    for (int i = 0; i < 5; ++i) {
      token.document = static_cast<std::uint64_t>(i / 2);
      token.nll = {};
      token.nll.add(broken && i == 3 ? std::numeric_limits<double>::quiet_NaN() : 0.7 * i);
      token.baseline = {0.1 * i, 2.0 / 3 + i, i % 2 == 0};
      beside.add(token);
    }
    beside.finish();
    report.baseline = make_baseline_result({"00fe", 7}, beside);
  }
  return report;
}

std::string refusal(const std::string& text) {
  try {
    parse_report(text, "some report.json");
  } catch (const io::Error& error) {
    EXPECT_EQ(error.kind(), io::ErrorKind::bad_data);
    return error.what();
  }
  return "";
}

TEST(ReadReport, GivesBackTheBytesOfAReport) {
  for (const windows::protocol::Protocol* protocol : windows::protocol::all()) {
    for (const bool broken : {false, true}) {
      const EvaluationReport made = made_report(*protocol, broken);
      const std::string text = to_text(render_json(made));
      const EvaluationReport read = parse_report(text, "report.json");
      EXPECT_EQ(to_text(render_json(read)), text);
      EXPECT_EQ(render_domains_csv(read), render_domains_csv(made));
      EXPECT_EQ(render_table(read), render_table(made));
      EXPECT_EQ(render_bands_csv(read), render_bands_csv(made));
      EXPECT_EQ(read.baseline.has_value(), protocol->name != "packed");
      EXPECT_EQ(read.nonfinite_tokens(), broken ? 1U : 0U);
      EXPECT_EQ(read.overall.nll_nats, made.overall.nll_nats);
      EXPECT_EQ(read.protocol.numbers.size(), protocol->numbers.size());
      EXPECT_EQ(read.protocol.prefix_token, made.protocol.prefix_token);
      EXPECT_EQ(read.protocol.numbers[0].cross_entropy_nats.has_value(), !broken);
      EXPECT_EQ(read.subject.windows.protocol, protocol);
      EXPECT_EQ(read.complete(), true);
    }
  }
}

TEST(ReadReport, EveryMemberCounts) {
  const Json good = render_json(made_report(windows::protocol::kPacked, false));
  ASSERT_EQ(refusal(to_text(good)), "");
  for (const auto& [name, value] : good.items()) {
    Json without = good;
    without.erase(name);
    EXPECT_NE(refusal(to_text(without)), "") << "without " << name;
    Json other = good;
    other[name] = Json::object({{"of", "another type"}});
    EXPECT_NE(refusal(to_text(other)), "") << name << " is an object";
    if (!value.is_number_unsigned()) continue;
    other[name] = -1;
    EXPECT_NE(refusal(to_text(other)), "") << name << " is negative";
    other[name] = value.get<double>() + 0.5;
    EXPECT_NE(refusal(to_text(other)), "") << name << " is no whole number";
  }
  Json more = good;
  more["accuracy"] = 0.5;
  EXPECT_THAT(refusal(to_text(more)), HasSubstr("'some report.json' has members or values"));
  more = good;
  more["domains"]["code"].erase("words");
  EXPECT_THAT(refusal(to_text(more)), HasSubstr("words"));
  for (const auto& [name, value] : good["of_protocol"].items()) {
    more = good;
    more["of_protocol"].erase(name);
    EXPECT_NE(refusal(to_text(more)), "") << "without " << name << " of the protocol";
  }
  more = good;
  more["of_protocol"]["numbers"][0]["accuracy"] = 1;
  EXPECT_THAT(refusal(to_text(more)), HasSubstr("altered"));
  more = good;
  more["complete"] = false;
  EXPECT_THAT(refusal(to_text(more)), HasSubstr("altered"));
}

TEST(ReadReport, OtherFormatsVersionsAndProtocolsAreRefusedByName) {
  const Json good = render_json(made_report(windows::protocol::kDocument, false));
  const auto with = [&](const char* name, const Json& value) {
    Json json = good;
    json[name] = value;
    return refusal(to_text(json));
  };
  EXPECT_EQ(with("format", "chainrule data set"), "'some report.json' is no evaluation report");
  EXPECT_EQ(with("format_version", 1), "'some report.json' has format version '1'; this program reads 2");
  EXPECT_EQ(with("protocol", "rolling"),
            "'some report.json' is of protocol 'rolling', which this program does not know");
  for (const char* text : {"", "{", "[]", "null", "{}", "7"}) {
    EXPECT_THAT(refusal(text), HasSubstr("'some report.json' is no evaluation report")) << text;
  }
}

TEST(ReadReport, ReadsAFileAndNamesOneThatIsNotThere) {
  const io::files::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "read report.json";
  const std::string text = to_text(render_json(made_report(windows::protocol::kDocument, false)));
  std::ofstream(path) << text;
  EXPECT_EQ(to_text(render_json(read_report(path))), text);
  std::filesystem::remove(path);
  try {
    read_report(path);
    FAIL();
  } catch (const io::Error& error) {
    EXPECT_EQ(error.kind(), io::ErrorKind::missing_input);
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
  }
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::report
