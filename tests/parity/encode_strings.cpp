// Usage: encode_strings TOKENIZER STRINGS IDS. STRINGS: of each its length in bytes (u32) and its bytes; IDS gets of
// each the number of its ids and the ids (u32). Prints the processor seconds of encoding, on one thread, without
// loading.
#include <fmt/format.h>

#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/atomic_file.h"
#include "io/tokenizer/tokenizer.h"

namespace chainrule::tests {
namespace {

std::vector<std::string_view> strings_in(std::string_view bytes) {
  std::vector<std::string_view> strings;
  while (!bytes.empty()) {
    std::uint32_t length = 0;
    if (bytes.size() < sizeof(length)) throw std::runtime_error("the strings end within a length");
    std::memcpy(&length, bytes.data(), sizeof(length));
    bytes.remove_prefix(sizeof(length));
    if (bytes.size() < length) throw std::runtime_error("the strings end within one");
    strings.push_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return strings;
}

void encode(const char* tokenizer_path, const char* strings_path, const char* ids_path) {
  const auto tokenizer = io::tokenizer::Tokenizer::load(tokenizer_path);
  const std::string held = io::files::read_file(strings_path);
  const std::vector<std::string_view> strings = strings_in(held);
  std::vector<std::uint32_t> all;
  const std::clock_t begin = std::clock();
  for (const std::string_view string : strings) {
    const std::size_t at = all.size();
    all.push_back(0);
    tokenizer.encode(string, all);
    all[at] = static_cast<std::uint32_t>(all.size() - at - 1);
  }
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::ofstream out(ids_path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(all.data()),
            static_cast<std::streamsize>(all.size() * sizeof(std::uint32_t)));
  if (!out.flush()) throw std::runtime_error(fmt::format("cannot write '{}'", ids_path));
  fmt::print("{:.6f}\n", seconds);
}

}  // namespace
}  // namespace chainrule::tests

int main(int argument_count, char** arguments) {
  try {
    if (argument_count != 4) throw std::runtime_error("usage: encode_strings TOKENIZER STRINGS IDS");
    chainrule::tests::encode(arguments[1], arguments[2], arguments[3]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
