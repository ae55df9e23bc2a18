// tokenizer encode and decode: streams of bytes to streams of ids and back.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/files/atomic_output.h"
#include "io/tokenizer/matching_gave_up.h"
#include "io/tokenizer/piecewise_encoder.h"
#include "io/tokenizer/tokenizer.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/tokenizer.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::cli {
namespace {

constexpr std::size_t kBlockBytes = 4U << 20U;

static_assert(std::endian::native == std::endian::little, "files of ids are little-endian, and written as in memory");

struct CodecOptions {
  std::string tokenizer;
  std::string input;
  std::string output;
  bool special_tokens = false;
};

/// A file, or standard input for "-".
class Input {
 public:
  explicit Input(const std::string& path)
      : name_(path == "-" ? "standard input" : path),
        file_(path == "-" ? stdin : std::fopen(path.c_str(), "rbe"), &std::fclose) {
    if (!file_) fail(failure::ExitCode::missing_input, "open");
  }

  /// Appends up to kBlockBytes to buffer; false at the end.
  bool read(std::string& buffer) {
    const std::size_t before = buffer.size();
    buffer.resize(before + kBlockBytes);
    const std::size_t got = std::fread(buffer.data() + before, 1, kBlockBytes, file_.get());
    buffer.resize(before + got);
    if (std::ferror(file_.get()) != 0)
      fail(errno == EISDIR ? failure::ExitCode::missing_input : failure::ExitCode::input_output, "read");
    return got != 0;
  }

  const std::string& name() const { return name_; }

 private:
  [[noreturn]] void fail(failure::ExitCode code, const char* operation) const {
    throw failure::Error(code, fmt::format("cannot {} '{}': {}", operation, name_, std::strerror(errno)));
  }

  std::string name_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

/// A new file put in its place when all is written, or standard output where no path is given.
class Output {
 public:
  explicit Output(const std::string& path) {
    if (!path.empty()) file_ = std::make_unique<io::files::AtomicOutput>(path);
  }

  void write(std::string_view bytes) {
    if (file_) {
      file_->write(bytes);
    } else if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) {
      fail();
    }
  }

  void finish() {
    if (file_) {
      file_->commit();
    } else if (std::fflush(stdout) != 0) {
      fail();
    }
  }

 private:
  [[noreturn]] static void fail() {
    throw failure::Error(failure::ExitCode::input_output,
                         fmt::format("cannot write standard output: {}", std::strerror(errno)));
  }

  std::unique_ptr<io::files::AtomicOutput> file_;
};

/// Reads the options that encode and decode share; false when help was asked for.
bool parse(CommandOptions& options, const Arguments& arguments, CodecOptions& values, const char* input,
           const char* output, bool with_special_tokens) {
  auto add = options.group("Files").add_options();
  add("tokenizer", po::value(&values.tokenizer)->required()->value_name("PATH"),
      "a tokenizer.json, or a folder with one, or a folder with vocab.json and merges.txt");
  add("input", po::value(&values.input)->required()->value_name("FILE"), input);
  add("output", po::value(&values.output)->value_name("FILE"), output);
  if (with_special_tokens) {
    add("special-tokens", po::bool_switch(&values.special_tokens),
        "special tokens spelled out in the text become their ids, not plain text");
  }
  return options.parse(arguments);
}

std::string as_text(std::span<const io::tokenizer::TokenId> ids, bool& first) {
  std::string text;
  for (const io::tokenizer::TokenId id : ids) {
    if (!first) text += ' ';
    first = false;
    text += fmt::format_int(id).c_str();
  }
  return text;
}

void encode(const CodecOptions& options) {
  const io::tokenizer::Tokenizer tokenizer = io::tokenizer::Tokenizer::load(options.tokenizer);
  Input input(options.input);
  Output output(options.output);
  bool first = true;
  const auto write = [&](std::span<const io::tokenizer::TokenId> ids, std::size_t) {
    if (options.output.empty()) {
      output.write(as_text(ids, first));
    } else {
      output.write({reinterpret_cast<const char*>(ids.data()), ids.size_bytes()});
    }
  };
  io::tokenizer::PiecewiseEncoder encoder(tokenizer, write, options.special_tokens);
  io::tokenizer::name_text(fmt::format("'{}'", input.name()), [&] {
    for (std::string text; input.read(text); text.clear()) encoder.append(text);
    encoder.finish();
  });
  if (options.output.empty()) output.write("\n");
  output.finish();
}

/// begun: whether a token before has text, of which alone a space at the start is left out.
std::string decoded_block(const io::tokenizer::Tokenizer& tokenizer, std::span<const io::tokenizer::TokenId> ids,
                          bool& begun) {
  std::string text;
  if (!begun) text = tokenizer.decode(ids);
  for (const io::tokenizer::TokenId id : ids) {
    if (begun) text += tokenizer.token_bytes(id);
  }
  begun = begun || std::any_of(ids.begin(), ids.end(), [&](auto id) { return !tokenizer.is_special(id); });
  return text;
}

void decode(const CodecOptions& options) {
  const io::tokenizer::Tokenizer tokenizer = io::tokenizer::Tokenizer::load(options.tokenizer);
  Input input(options.input);
  Output output(options.output);
  std::string bytes;
  std::vector<io::tokenizer::TokenId> ids;
  std::uint64_t place = 0;
  bool begun = false;
  while (input.read(bytes)) {
    ids.resize(bytes.size() / sizeof(io::tokenizer::TokenId));
    std::memcpy(ids.data(), bytes.data(), ids.size() * sizeof(io::tokenizer::TokenId));
    bytes.erase(0, ids.size() * sizeof(io::tokenizer::TokenId));
    for (const io::tokenizer::TokenId id : ids) {
      if (id >= tokenizer.vocabulary_size()) {
        throw failure::Error(failure::ExitCode::bad_data,
                             fmt::format("'{}': token {} at offset {} is outside the vocabulary of {}", input.name(),
                                         id, place, tokenizer.vocabulary_size()));
      }
      ++place;
    }
    output.write(decoded_block(tokenizer, ids, begun));
  }
  if (!bytes.empty()) {
    throw failure::Error(failure::ExitCode::bad_data, fmt::format("'{}': {} bytes follow the {} whole ids of 4 bytes",
                                                                  input.name(), bytes.size(), place));
  }
  output.finish();
}

}  // namespace

failure::ExitCode run_tokenizer_encode(const Arguments& arguments) {
  CodecOptions values;
  CommandOptions options("chainrule tokenizer encode --tokenizer T --input FILE [--output ids.u32]",
                         "Text to token ids. Any bytes are text; decode gives them back.");
  if (!parse(options, arguments, values, "the text; - is standard input",
             "raw little-endian 32-bit ids; nothing may be there yet. Without it, ids in text on standard output",
             true)) {
    return failure::ExitCode::done;
  }
  encode(values);
  return failure::ExitCode::done;
}

failure::ExitCode run_tokenizer_decode(const Arguments& arguments) {
  CodecOptions values;
  CommandOptions options("chainrule tokenizer decode --tokenizer T --input ids.u32 [--output FILE]",
                         "Token ids to the bytes they stand for.");
  if (!parse(options, arguments, values, "raw little-endian 32-bit ids; - is standard input",
             "the text; nothing may be there yet. Without it, standard output", false)) {
    return failure::ExitCode::done;
  }
  decode(values);
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
