// Prints what a file of tensors holds as JSON, for comparison with other readers: dump_tensors FILE_OR_FOLDER.
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/files/digest.h"
#include "io/tensors/gguf/file.h"
#include "io/tensors/little_endian.h"
#include "io/tensors/llmc/file.h"
#include "io/tensors/safetensors/open.h"

namespace chainrule::io::tensors {
namespace {

using Json = nlohmann::ordered_json;

Json array_of(const gguf::Metadata& metadata, const std::string& key) {
  switch (metadata.value(key).element_type) {
    case gguf::ValueType::f32:
    case gguf::ValueType::f64: return metadata.numbers(key);
    case gguf::ValueType::string: {
      Json texts = Json::array();
      for (const std::string_view text : metadata.texts(key)) texts.push_back(text);
      return texts;
    }
    case gguf::ValueType::boolean:
    case gguf::ValueType::array: return nullptr;  // no model has them
    default: return metadata.whole_numbers(key);
  }
}

Json value_of(const gguf::Metadata& metadata, const std::string& key) {
  switch (metadata.value(key).type) {
    case gguf::ValueType::f32:
    case gguf::ValueType::f64: return metadata.number(key);
    case gguf::ValueType::boolean: return metadata.boolean(key);
    case gguf::ValueType::string: return metadata.text(key);
    case gguf::ValueType::array: return array_of(metadata, key);
    case gguf::ValueType::u64: return load<std::uint64_t>(metadata.value(key).bytes);
    default: return metadata.whole_number(key);
  }
}

Json tensors_of(const StoredTensors& tensors) {
  Json all = Json::object();
  for (const std::string& name : tensors.names()) {
    try {
      const StoredTensor tensor = tensors.tensor(name);
      files::Digest digest;
      digest.update(tensor.bytes.data(), tensor.bytes.size());
      all[name] = {{"encoding", name_of(tensor.encoding)},
                   {"shape", tensor.shape},
                   {"bytes", tensor.bytes.size()},
                   {"xxh3_128", digest.hexadecimal()}};
    } catch (const std::exception& error) {
      all[name] = {{"type", tensors.type_name(name)}, {"refused", error.what()}};
    }
  }
  return all;
}

Json contents_of(const std::filesystem::path& path) {
  if (path.extension() == ".bin") return {{"tensors", tensors_of(llmc::LlmcFile::open(path))}};
  if (path.extension() != ".gguf") return {{"tensors", tensors_of(safetensors::open(path))}};
  const gguf::GgufFile file = gguf::GgufFile::open(path);
  Json metadata = Json::object();
  for (const std::string& key : file.metadata().keys()) metadata[key] = value_of(file.metadata(), key);
  return {{"metadata", std::move(metadata)}, {"tensors", tensors_of(file)}};
}

}  // namespace
}  // namespace chainrule::io::tensors

int main(int count, char** words) try {
  if (count != 2) return 64;
  std::puts(chainrule::io::tensors::contents_of(words[1])
                .dump(1, ' ', false, nlohmann::json::error_handler_t::replace)
                .c_str());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 65;
}
