// Files of models, made byte by byte: a folder of the test's own, and what refused a file.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/tensors/tensor_source.h"

namespace chainrule::io::tensors {

/// The bytes of a number, little-endian.
template <class Number>
std::string bytes_of(Number value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline std::span<const std::byte> as_span(std::string_view bytes) { return std::as_bytes(std::span(bytes)); }

inline std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What work was refused with; bad_data it must be.
template <class Work>
std::string refusal(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data) << error.what();
    return error.what();
  }
  return "not refused";
}

class FileCase : public testing::Test {
 protected:
  void SetUp() override {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::temp_directory_path() / ("chainrule-" + name + "-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path put(const std::string& name, std::string_view bytes) const {
    files::write_file_atomically(folder_ / name, bytes);
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

/// Tensors in memory. Tensor i of `of_shapes` counts up from 1000 i + 0.5.
class MadeTensors final : public TensorSource {
 public:
  struct Tensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
  };
  explicit MadeTensors(std::map<std::string, Tensor> tensors) : tensors_(std::move(tensors)) {}
  static MadeTensors of_shapes(const std::map<std::string, std::vector<std::int64_t>>& shapes) {
    std::map<std::string, Tensor> tensors;
    float first = 0.5F;
    for (const auto& [name, shape] : shapes) {
      const auto count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
      std::vector<float> values(static_cast<std::size_t>(count));
      std::iota(values.begin(), values.end(), first);
      first += 1000;
      tensors[name] = {shape, std::move(values)};
    }
    return MadeTensors(std::move(tensors));
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors_) names.push_back(name);
    return names;
  }
  std::vector<std::int64_t> shape(const std::string& name) const override { return tensors_.at(name).shape; }
  void read(const std::string& name, std::int64_t first_row, std::span<float> values) const override {
    const Tensor& tensor = tensors_.at(name);
    const auto row = static_cast<std::int64_t>(tensor.values.size()) / std::max<std::int64_t>(tensor.shape[0], 1);
    std::copy_n(tensor.values.begin() + first_row * row, values.size(), values.begin());
  }
  const std::vector<float>& values(const std::string& name) const { return tensors_.at(name).values; }

 private:
  std::map<std::string, Tensor> tensors_;
};

inline std::vector<float> floats_of(std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

}  // namespace chainrule::io::tensors
