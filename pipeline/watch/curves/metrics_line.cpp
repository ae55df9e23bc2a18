#include "pipeline/watch/curves/metrics_line.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"

namespace chainrule::pipeline::watch::curves {
namespace {

/// The members of one line.
class Members {
 public:
  Members(std::string_view text, const std::string& name)
      : name_(name), json_(io::files::parse_untrusted_json(text, name)) {
    if (!json_.is_object()) refuse("it is no object");
  }

  bool has(const char* member) const { return json_.contains(member); }

  double number(const char* member) const {
    const auto value = optional_number(member);
    if (!value) refuse(fmt::format("'{}' is missing", member));
    return *value;
  }

  std::optional<double> optional_number(const char* member) const {
    const auto found = json_.find(member);
    if (found == json_.end()) return std::nullopt;
    return number_of(*found, member);
  }

  std::int64_t count(const char* member, std::int64_t least) const {
    const auto found = json_.find(member);
    if (found == json_.end() || !found->is_number_integer() || *found < least || *found > kMost) {
      refuse(fmt::format("'{}' is no whole number from {} on", member, least));
    }
    return found->get<std::int64_t>();
  }

  std::string text(const char* member) const {
    const auto found = json_.find(member);
    if (found == json_.end()) return {};
    if (!found->is_string()) refuse(fmt::format("'{}' is no text", member));
    return found->get<std::string>();
  }

  bool flag(const char* member) const {
    const auto found = json_.find(member);
    if (found == json_.end()) return false;
    if (!found->is_boolean()) refuse(fmt::format("'{}' is neither true nor false", member));
    return found->get<bool>();
  }

  std::vector<std::pair<std::string, double>> numbers(const char* member) const {
    std::vector<std::pair<std::string, double>> all;
    const auto found = json_.find(member);
    if (found == json_.end()) return all;
    if (!found->is_object()) refuse(fmt::format("'{}' is no object", member));
    for (const auto& [name, value] : found->items()) all.emplace_back(name, number_of(value, name));
    return all;
  }

 private:
  static constexpr std::int64_t kMost = std::int64_t{1} << 53;  // beyond it not every number has a double

  double number_of(const nlohmann::json& value, const std::string& member) const {
    if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!value.is_number()) refuse(fmt::format("{} is no number", io::in_quotes(member)));
    return value.get<double>();
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", name_, why));
  }

  const std::string& name_;
  nlohmann::json json_;
};

}  // namespace

MetricsLine parse_metrics_line(std::string_view text, const std::string& name) {
  const Members members(text, name);
  MetricsLine line;
  line.step = members.count("step", 1);
  line.tokens = members.count("tokens", 0);
  line.loss_nats = members.number("loss");
  line.learning_rate = members.number("learning_rate");
  line.gradient_norm = members.number("gradient_norm");
  line.tokens_per_second = members.number("tokens_per_second");
  line.elapsed_seconds = members.number("elapsed_seconds");
  line.validation_loss_nats = members.optional_number("validation_loss");
  line.validation_nats = members.numbers("validation_losses");
  line.peak_fraction = members.optional_number("peak_fraction");
  line.joules_per_token = members.optional_number("joules_per_token");
  if (members.has("slowest_rank")) {
    line.slowest = fmt::format("rank {} on {}, {:.0f} % behind the median", members.count("slowest_rank", 0),
                               members.text("slowest_host"), 100 * members.number("slowest_behind"));
  }
  line.skipped = members.text("skipped");
  line.rolled_back = members.text("rolled_back");
  line.checkpoint = !members.text("weights_hash").empty();
  line.stopped = members.flag("stopped");
  return line;
}

}  // namespace chainrule::pipeline::watch::curves
