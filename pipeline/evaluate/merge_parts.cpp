#include "pipeline/evaluate/merge_parts.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/quote.h"
#include "io/tokenizer/tokenizer.h"
#include "pipeline/evaluate/evaluation_inputs.h"
#include "pipeline/evaluate/journal/journal.h"
#include "pipeline/evaluate/options.h"
#include "pipeline/evaluate/protocol_text.h"
#include "pipeline/evaluate/results.h"
#include "pipeline/models/text_model.h"
#include "pipeline/run/environment.h"

namespace chainrule::pipeline::evaluate {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& what) { throw io::Error(io::ErrorKind::bad_data, what); }

/// The parts of one evaluation by their index: all of them, each once.
class Parts {
 public:
  explicit Parts(const std::vector<fs::path>& paths) {
    for (const fs::path& path : paths) take(journal::Journal::read(path));
    for (std::uint64_t index = 0; index < plan_.part.count; ++index) {
      if (!parts_.contains(index)) {
        refuse(fmt::format("part {} of {} is missing among those given", index + 1, plan_.part.count));
      }
    }
  }

  const EvaluationPlan& plan() const { return plan_; }
  journal::UnitResult result(std::uint64_t unit) const { return parts_.at(unit % plan_.part.count).result(unit); }

 private:
  void take(journal::Journal part) {
    const EvaluationPlan plan = parse_plan(part.header().about, part.path().string());
    const std::string name = io::path_in_quotes(part.path());
    if (plan.identity() != part.header().identity) refuse(fmt::format("{} contradicts itself", name));
    if (parts_.empty()) plan_ = plan;
    const std::string first = io::path_in_quotes(parts_.empty() ? part.path() : parts_.begin()->second.path());
    if (plan.identity() != plan_.identity()) {
      refuse(
          fmt::format("{} is of another evaluation ({}) than {} ({})", name, plan.identity(), first, plan_.identity()));
    }
    if (plan.part.count != plan_.part.count) {
      refuse(fmt::format("{} is one of {} parts, {} one of {}", name, plan.part.count, first, plan_.part.count));
    }
    warn_of_other_conditions(part.path(), plan.conditions, plan_.conditions);
    const auto [at, is_new] = parts_.emplace(plan.part.index, std::move(part));
    if (!is_new) {
      refuse(fmt::format("part {} of {} is given twice: {} and {}", plan.part.index + 1, plan.part.count,
                         io::path_in_quotes(at->second.path()), name));
    }
  }

  EvaluationPlan plan_;
  std::map<std::uint64_t, journal::Journal> parts_;
};

/// A data set has a copy; of another system's token files the model has it.
io::tokenizer::Tokenizer tokenizer_of(const EvaluationPlan& plan, const fs::path& data) {
  if (io::tokens::needs_tokenizer(data)) return models::load_text_model(plan.model).tokenizer;
  return io::tokenizer::Tokenizer::load(data / "tokenizer.json");
}

std::unique_ptr<const io::tokens::TokenStream> open_its_data(const EvaluationPlan& plan, const fs::path& path) {
  auto data = open_data(path, [&] { return std::make_shared<io::tokenizer::Tokenizer>(tokenizer_of(plan, path)); });
  io::tokens::verify_shards(*data, 0, 1);
  if (data->fingerprint() != plan.subject.data_fingerprint) {
    refuse(fmt::format("the data set {} has the fingerprint {}, the parts are of {}", io::path_in_quotes(path),
                       data->fingerprint(), plan.subject.data_fingerprint));
  }
  if (plan.subject.documents > data->document_count()) refuse("the parts cover more documents than the data set has");
  return data;
}

}  // namespace

report::EvaluationReport merge_parts(const MergeOptions& options, const std::string& program) {
  report::ReportFolder folder(options.report);
  const Parts parts(options.parts);
  require_protocol_of(options.write, *parts.plan().subject.windows.protocol);
  const fs::path path = options.data.empty() ? parts.plan().data : options.data;
  const auto data = open_its_data(parts.plan(), path);
  ProtocolText text(*data, [&] { return tokenizer_of(parts.plan(), path); });
  const ResultOptions results{options.keep_tokens, options.command,
                              [&]() -> const io::tokenizer::Tokenizer& { return text.tokenizer(); }, options.write};
  return write_results(
      parts.plan(), text.of(parts.plan()), [&](std::uint64_t unit) { return parts.result(unit); }, results, folder,
      [&](const report::EvaluationReport&) {
        nlohmann::ordered_json json = {{"program", program}, {"ended", run::utc_now()}};
        for (const fs::path& part : options.parts) json["parts"].push_back(part.string());
        json["data"] = data->path().string();
        return json;
      });
}

}  // namespace chainrule::pipeline::evaluate
