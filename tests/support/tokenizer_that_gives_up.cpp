#include "tests/support/tokenizer_that_gives_up.h"

#include "io/files/atomic_file.h"
#include "io/files/temporary_folder.h"

namespace chainrule::tests {

io::tokenizer::Tokenizer tokenizer_that_gives_up() {
  const io::files::TemporaryFolder folder;
  io::files::write_file_atomically(folder.path() / "tokenizer.json", R"({
    "added_tokens": [{"id": 4, "content": "<|endoftext|>", "special": true, "normalized": false,
                      "lstrip": false, "rstrip": false, "single_word": false}],
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"Regex": "(?:x+x+)+y"}, "behavior": "Isolated", "invert": false},
      {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]},
    "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
    "model": {"type": "BPE", "vocab": {"x": 0, "y": 1, "Ġ": 2, "Ċ": 3}, "merges": []}})");
  return io::tokenizer::Tokenizer::load(folder.path() / "tokenizer.json");
}

}  // namespace chainrule::tests
