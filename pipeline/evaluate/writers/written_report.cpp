#include "pipeline/evaluate/writers/written_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <nlohmann/json.hpp>
#include <random>
#include <string_view>

#include "pipeline/evaluate/writers/every_eval_ever.h"
#include "pipeline/evaluate/writers/lm_eval.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::evaluate::writers {
namespace {

constexpr std::size_t kLongestName = 100;

bool is_portable(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

/// Names of devices on Windows, with any extension.
bool is_device(const std::string& name) {
  std::string upper = name.substr(0, name.find('.'));
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  static constexpr std::array<std::string_view, 4> kDevices = {"CON", "PRN", "AUX", "NUL"};
  const bool numbered = upper.size() == 4 && (upper.starts_with("COM") || upper.starts_with("LPT")) &&
                        std::isdigit(static_cast<unsigned char>(upper[3])) != 0;
  return numbered || std::find(kDevices.begin(), kDevices.end(), upper) != kDevices.end();
}

/// Makes a folder in the report's, and those above it.
std::string made_folder(const report::ReportFolder& folder, std::string name) {
  folder.make_folder(name);
  return name;
}

/// A random UUID (RFC 4122, version 4).
std::string random_uuid() {
  std::random_device random;
  std::array<std::uint32_t, 4> bits{random(), random(), random(), random()};
  bits[1] = (bits[1] & 0xffff0fffU) | 0x4000U;
  bits[2] = (bits[2] & 0x3fffffffU) | 0x80000000U;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", bits[0], bits[1] >> 16, bits[1] & 0xffffU,
                     bits[2] >> 16, bits[2] & 0xffffU, bits[3]);
}

/// As lm-eval lays its files out: a folder named after the model, files by task and time.
void write_lm_eval(const WrittenReport& written, const report::ReportFolder& folder, const std::string& place) {
  const std::string in = made_folder(folder, fmt::format("{}{}/{}/", place, kLmEvalFormat, model_name(written)));
  std::string time = show::utc_text(written.written);
  time.pop_back();  // lm-eval's has no zone
  std::replace(time.begin(), time.end(), ':', '-');
  folder.write(fmt::format("{}results_{}.json", in, time), report::to_text(render_lm_eval_results(written)));
  folder.write(fmt::format("{}samples_{}_{}.jsonl", in, portable_name(written.data), time),
               [&](const report::TextSink& sink) { render_lm_eval_samples(written, sink); });
}

/// As in every-eval-ever's store: data/COLLECTION/DEVELOPER/MODEL/UUID.json.
void write_every_eval_ever(const WrittenReport& written, const report::ReportFolder& folder, const std::string& place) {
  const std::string in = made_folder(
      folder, fmt::format("{}{}/data/chainrule/{}/", place, kEveryEvalEverFormat, every_eval_ever_model(written)));
  folder.write(in + random_uuid() + ".json", report::to_text(render_every_eval_ever(written)));
}

}  // namespace

std::string model_name(const WrittenReport& written) {
  if (written.report.subject.average.empty()) return portable_name(written.model);
  const std::filesystem::path path = written.model.has_filename() ? written.model : written.model.parent_path();
  return portable_name(path.parent_path().filename().string() + "-" + path.filename().string());
}

std::string portable_name(const std::filesystem::path& path) {
  std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  std::string name = whole.filename().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_portable(c); }, '_');
  name.resize(std::min(name.size(), kLongestName));
  if (name.empty() || name.back() == '.') name += '_';
  return is_device(name) ? "_" + name : name;
}

std::optional<std::int64_t> unix_seconds(const std::string& utc) {
  std::tm time{};
  const char* const end = ::strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&time);
}

void write_formats(const Formats& formats, const WrittenReport& written, const report::ReportFolder& folder,
                   const std::string& place) {
  if (formats.lm_eval) write_lm_eval(written, folder, place);
  if (formats.every_eval_ever) write_every_eval_ever(written, folder, place);
}

}  // namespace chainrule::pipeline::evaluate::writers
