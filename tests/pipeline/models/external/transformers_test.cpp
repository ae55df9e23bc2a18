// Logits of models that transformers wrote, against those that it computed (make_fixtures.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "model/decoder/decoder.h"
#include "pipeline/models/external/external_model.h"
#include "tests/support/values.h"

namespace chainrule::pipeline::models::external {
namespace {

namespace fs = std::filesystem;

nlohmann::json cases() {
  return nlohmann::json::parse(io::files::read_file(fs::path(CHAINRULE_TRANSFORMERS_FIXTURES) / "cases.json"));
}

std::vector<float> floats_of(const std::string& hexadecimal) {
  std::string bytes;
  for (std::size_t i = 0; i < hexadecimal.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16));
  }
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// A folder as transformers writes it.
class ModelFolder {
 public:
  explicit ModelFolder(const nlohmann::json& each)
      : path_(fs::temp_directory_path() / ("chainrule-transformers-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
    io::files::write_file_atomically(path_ / "config.json", each["config"].dump());
    fs::copy_file(fs::path(CHAINRULE_TRANSFORMERS_FIXTURES) / each["weights"], path_ / "model.safetensors");
  }
  ~ModelFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class AllLogits : public model::decoder::LogitsVisitor {
 public:
  explicit AllLogits(std::int64_t vocabulary) : vocabulary_(vocabulary) {}
  void visit(std::int64_t, std::int64_t rows, float* logits, std::int64_t stride) override {
    for (std::int64_t row = 0; row < rows; ++row) {
      values.insert(values.end(), logits + row * stride, logits + row * stride + vocabulary_);
    }
  }
  std::vector<float> values;

 private:
  std::int64_t vocabulary_;
};

std::vector<float> logits_of(const ExternalModel& external, const std::vector<std::uint32_t>& tokens) {
  const auto ops = model::ops::make_fast_ops(model::products::Math::float32);
  const auto rows = static_cast<std::int64_t>(tokens.size());
  model::decoder::Decoder decoder(external.config, {.maximum_rows = rows}, *ops);
  const std::vector<std::uint32_t> targets(tokens.size(), model::ops::kNotScored);
  const model::ops::Sequence sequence{0, rows};
  AllLogits logits(external.config.vocabulary_size);
  decoder.visit_logits(*weights_of(external), {tokens, targets, {&sequence, 1}}, logits);
  return logits.values;
}

TEST(Transformers, ComputesTheSameLogits) {
  const nlohmann::json all = cases();
  EXPECT_EQ(all.size(), 15U);
  for (const nlohmann::json& each : all) {
    SCOPED_TRACE(each["title"]);
    const ModelFolder folder(each);
    const auto external = open_external_model(folder.path());
    ASSERT_TRUE(external.has_value());
    const std::vector<float> expected = floats_of(each["logits"]);
    const std::vector<float> logits = logits_of(*external, each["tokens"].get<std::vector<std::uint32_t>>());
    ASSERT_GE(logits.size(), expected.size());
    const std::vector<double> wanted(expected.begin(), expected.end());
    const double distance = tests::relative_l2(std::span(logits).last(expected.size()), wanted);
    EXPECT_LT(distance, 1e-5);
    RecordProperty(each["title"], std::to_string(distance));
  }
}

/// A safetensors file whose tensors have lost the beginnings of their names.
std::string without_prefix(const std::string& file) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, file.data(), sizeof bytes);
  const nlohmann::json named = nlohmann::json::parse(file.substr(sizeof bytes, bytes));
  nlohmann::json renamed;
  for (const auto& [name, tensor] : named.items()) {
    renamed[name.starts_with("model.") ? name.substr(6) : name] = tensor;
  }
  const std::string header = renamed.dump();
  const std::uint64_t header_bytes = header.size();
  return std::string(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes) + header +
         file.substr(sizeof bytes + bytes);
}

TEST(Transformers, AModelThatWasSavedWithoutItsHeadHasNoPrefix) {
  const nlohmann::json all = cases();
  const auto each = std::find_if(all.begin(), all.end(), [](const auto& one) { return one["title"] == "qwen3"; });
  ASSERT_NE(each, all.end());
  const ModelFolder folder(*each);
  const fs::path weights = folder.path() / "model.safetensors";
  const auto tokens = (*each)["tokens"].get<std::vector<std::uint32_t>>();
  const std::vector<float> expected = logits_of(*open_external_model(folder.path()), tokens);
  io::files::write_file_atomically(weights, without_prefix(io::files::read_file(weights)));
  EXPECT_EQ(logits_of(*open_external_model(folder.path()), tokens), expected);
}

TEST(Transformers, AnAdapterBesideAModelIsRefused) {
  const ModelFolder folder(cases().front());
  io::files::write_file_atomically(folder.path() / "adapter_config.json", "{}");
  try {
    open_external_model(folder.path());
    FAIL() << "it was read";
  } catch (const io::Error& error) {
    EXPECT_NE(std::string(error.what()).find("adapter_config.json': an adapter is not built"), std::string::npos);
  }
}

/// The same weights, the rotary scaling as llama.cpp's converter says it.
TEST(Transformers, ComputesTheSameLogitsOfGgufFiles) {
  int files = 0;
  for (const nlohmann::json& each : cases()) {
    if (!each.contains("gguf")) continue;
    SCOPED_TRACE(each["title"]);
    ++files;
    const auto external = open_external_model(fs::path(CHAINRULE_TRANSFORMERS_FIXTURES) / each["gguf"]);
    ASSERT_TRUE(external.has_value());
    const std::vector<float> expected = floats_of(each["logits"]);
    const std::vector<float> logits = logits_of(*external, each["tokens"].get<std::vector<std::uint32_t>>());
    EXPECT_LT(tests::relative_l2(std::span(logits).last(expected.size()),
                                 std::vector<double>(expected.begin(), expected.end())),
              1e-5);
  }
  EXPECT_EQ(files, 3);
}

/// The control: had a case's configuration no effect, equal logits would show nothing.
TEST(Transformers, CasesOfTheSameWeightsDiffer) {
  const nlohmann::json all = cases();
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      if (all[i]["weights"] != all[j]["weights"]) continue;
      const std::vector<float> one = floats_of(all[i]["logits"]);
      const std::vector<float> other = floats_of(all[j]["logits"]);
      EXPECT_GT(tests::relative_l2(std::span(one), std::vector<double>(other.begin(), other.end())), 1e-3)
          << all[i]["title"] << " and " << all[j]["title"];
    }
  }
}

}  // namespace
}  // namespace chainrule::pipeline::models::external
