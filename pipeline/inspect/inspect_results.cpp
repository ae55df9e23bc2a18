#include "pipeline/inspect/inspect_results.h"

#include <nlohmann/json.hpp>

#include "io/files/presence.h"
#include "pipeline/evaluate/journal/journal.h"
#include "pipeline/evaluate/report/read_report.h"
#include "pipeline/evaluate/report/render.h"

namespace chainrule::pipeline::inspect {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kReportFile = "report.json";

}  // namespace

bool is_journal(const fs::path& file) { return evaluate::journal::Journal::begins(file); }

Json inspect_journal(const fs::path& file) {
  const bool is_unfinished = file.extension() == ".journal";  // a part has another name, and is whole
  const auto journal =
      is_unfinished ? evaluate::journal::Journal::look_at(file) : evaluate::journal::Journal::read(file);
  for (const auto& [first, end] : journal.ranges()) {
    for (std::uint64_t unit = first; unit < end; ++unit) journal.result(unit);
  }
  return {{"kind", is_unfinished ? "journal of an evaluation" : "part of an evaluation"},
          {"path", file.string()},
          {"evaluation", journal.header().identity},
          {"work_units", journal.units()},
          {"tokens_scored", journal.tokens()},
          {"bytes_of_an_unfinished_record", journal.bytes_left_over()}};
}

bool is_report(const fs::path& folder) { return io::files::is_there(folder / kReportFile); }

Json inspect_report(const fs::path& folder) {
  const Json report = evaluate::report::render_json(evaluate::report::read_report(folder / kReportFile));
  Json json = {{"kind", "evaluation report"}, {"path", folder.string()}};
  for (const char* name : {"protocol", "context_length", "stride", "weights_hash", "step", "data_fingerprint",
                           "tokenizer_fingerprint", "documents", "documents_in_data", "tokens_scored",
                           "nonfinite_tokens", "cross_entropy_nats", "perplexity", "bits_per_byte"}) {
    json[name] = report.at(name);
  }
  if (report.contains("average")) json["average"] = report.at("average");
  return json;
}

}  // namespace chainrule::pipeline::inspect
