#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "io/quote.h"
#include "pipeline/failure/error.h"
#include "pipeline/pretrain/mix/mix.h"
#include "pipeline/pretrain/mix/stages.h"
#include "pipeline/windows/apportionment.h"

namespace chainrule::pipeline::pretrain::mix {
namespace {

constexpr std::size_t kDigits = 6;  // of a weight, before the point and behind it

[[noreturn]] void refuse(const char* option, const std::string& entry, const std::string& why) {
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("option '--{}' is {}: {}", option, io::in_quotes(entry), why));
}

struct Entry {
  std::string text;
  std::string name;
  std::string data;  // empty: as another entry says
  std::uint64_t weight = 0;
  std::int64_t step = 0;
};

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void check_name(const char* option, const std::string& entry, const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  if (name.empty() || !std::ranges::all_of(name, fits)) {
    refuse(option, entry,
           fmt::format("a source's name has letters, digits, - _ and . only, not {}", io::in_quotes(name)));
  }
}

std::uint64_t parse_weight(const std::string& entry, std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = point < text.size() ? text.substr(point + 1) : std::string_view();
  if (!is_digits(whole) || !is_digits(part) || whole.size() + part.size() == 0) {
    refuse("mix", entry,
           fmt::format("the weight {} is no decimal of at least 0, such as 2 or 0.25", io::in_quotes(text)));
  }
  if (whole.size() > kDigits || part.size() > kDigits) {
    refuse("mix", entry,
           fmt::format("the weight {} has more than {} digits before the point or behind it", io::in_quotes(text),
                       kDigits));
  }
  std::uint64_t weight = 0;
  for (const char digit : whole) weight = weight * 10 + static_cast<std::uint64_t>(digit - '0');
  for (std::size_t i = 0; i < kDigits; ++i) {
    weight = weight * 10 + static_cast<std::uint64_t>(i < part.size() ? part[i] - '0' : 0);
  }
  return weight;
}

std::int64_t parse_step(const std::string& entry, std::string_view text) {
  std::int64_t step = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error != std::errc() || stop != text.data() + text.size() || step < 1 || step > kLastStep) {
    refuse("mix", entry, fmt::format("{} is no step from 1 to {}", io::in_quotes(text), kLastStep));
  }
  return step;
}

/// The name is what is left of the first =, weight and step what is right of the last :, since paths may hold both.
Entry parse_entry(const std::string& text) {
  constexpr const char* kForm = "NAME=DATA:WEIGHT or NAME=DATA:WEIGHT@STEP is asked for";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) refuse("mix", text, fmt::format("it lacks ':' and a weight; {}", kForm));
  Entry entry;
  entry.text = text;
  const std::string head = text.substr(0, colon);
  const std::string tail = text.substr(colon + 1);
  const std::size_t at = tail.find('@');
  const std::size_t equals = head.find('=');
  if (equals == std::string::npos && at == std::string::npos) {
    refuse("mix", text, fmt::format("it lacks '=' and data; {}", kForm));
  }
  entry.name = head.substr(0, equals);
  check_name("mix", text, entry.name);
  if (equals != std::string::npos) {
    entry.data = head.substr(equals + 1);
    if (entry.data.empty()) refuse("mix", text, "it names no data");
  }
  entry.weight = parse_weight(text, tail.substr(0, at));
  if (at != std::string::npos) entry.step = parse_step(text, tail.substr(at + 1));
  return entry;
}

/// By name, each with the data that its entries agree on.
std::vector<Source> sources_of(const std::vector<Entry>& entries) {
  std::map<std::string, std::string> data;
  for (const Entry& entry : entries) {
    if (entry.data.empty()) continue;
    const auto [place, added] = data.emplace(entry.name, entry.data);
    if (!added && place->second != entry.data) {
      refuse(
          "mix", entry.text,
          fmt::format("the source '{}' has other data in another place, {}", entry.name, io::in_quotes(place->second)));
    }
  }
  std::vector<Source> sources;
  for (const auto& [name, path] : data) sources.push_back({name, path});
  return sources;
}

}  // namespace

Mix parse_mix(const std::vector<std::string>& entries) {
  std::vector<Entry> read;
  for (const std::string& entry : entries) read.push_back(parse_entry(entry));
  Mix mix{.sources = sources_of(read), .stages = {}};
  if (mix.sources.size() > windows::Apportionment::kMostSources) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("option '--mix' names {} sources, more than {}", mix.sources.size(),
                                     windows::Apportionment::kMostSources));
  }
  std::map<std::int64_t, std::map<std::size_t, std::uint64_t>> changes;
  changes[0] = {};
  for (const Entry& entry : read) {
    const std::optional<std::size_t> source = mix.find(entry.name);
    if (!source) refuse("mix", entry.text, fmt::format("no entry says what the data of '{}' are", entry.name));
    if (!changes[entry.step].emplace(*source, entry.weight).second) {
      refuse("mix", entry.text,
             fmt::format("the source '{}' has a weight {} already", entry.name, place_of(entry.step)));
    }
  }
  Stage stage{.step = 0, .weights = std::vector<std::uint64_t>(mix.sources.size())};
  for (const auto& [step, weights] : changes) {
    stage.step = step;
    for (const auto& [source, weight] : weights) stage.weights[source] = weight;
    add_stage(mix, stage);
  }
  return mix;
}

std::map<std::string, std::filesystem::path> parse_validation(const std::vector<std::string>& entries, const Mix& mix) {
  constexpr const char* kOption = "mix-validation";
  std::map<std::string, std::filesystem::path> paths;
  for (const std::string& entry : entries) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos) refuse(kOption, entry, "it lacks '='; NAME=DATA is asked for");
    const std::string name = entry.substr(0, equals);
    check_name(kOption, entry, name);
    if (equals + 1 == entry.size()) refuse(kOption, entry, "it names no data");
    if (!mix.find(name)) refuse(kOption, entry, fmt::format("--mix has no source '{}'", name));
    if (!paths.emplace(name, entry.substr(equals + 1)).second) {
      refuse(kOption, entry, fmt::format("the source '{}' has validation data already", name));
    }
  }
  return paths;
}

}  // namespace chainrule::pipeline::pretrain::mix
