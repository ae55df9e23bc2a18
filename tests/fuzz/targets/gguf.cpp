#include "io/error.h"
#include "io/tensors/gguf/file.h"
#include "tests/fuzz/external_model.h"
#include "tests/fuzz/stored_tensors.h"

namespace {

using chainrule::io::tensors::gguf::Metadata;

/// Every getter on a key, most of which refuse.
void get_all(const Metadata& metadata, const std::string& key) {
  const auto attempt = [](const auto& get) {
    try {
      get();
    } catch (const chainrule::io::Error&) {
    }
  };
  attempt([&] { metadata.whole_number(key); });
  attempt([&] { metadata.number(key); });
  attempt([&] { metadata.boolean(key); });
  attempt([&] { metadata.text(key); });
  attempt([&] { metadata.whole_numbers(key); });
  attempt([&] { metadata.numbers(key); });
  attempt(
      [&] { chainrule::fuzz::require(metadata.texts(key).size() == metadata.value(key).count, "texts are counted"); });
}

}  // namespace

/// Its metadata and tensors, and then the model and the tokenizer that they are.
FUZZ_TARGET(gguf) {
  const auto contents = chainrule::io::tensors::gguf::parse_file(std::as_bytes(std::span(bytes)), "'fuzz'");
  chainrule::fuzz::check_tensors(contents.tensors, bytes);
  for (const std::string& key : contents.metadata.keys()) get_all(contents.metadata, key);
  chainrule::fuzz::use_model(bytes);
}
