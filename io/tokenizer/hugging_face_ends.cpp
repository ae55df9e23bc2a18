// What a tokenizer.json does to the tokens of a text: those put around it, and how they are decoded.
#include <fmt/format.h>

#include "io/quote.h"
#include "io/tokenizer/hugging_face_steps.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;

/// The tokens that a special token of a template stands for.
void add_special(const FileFields& fields, const Json& post, const Json& piece,
                 std::vector<TokenizerSource::Around>& around) {
  const std::string where = "the post-processor TemplateProcessing";
  const std::string name = fields.text(piece, "id", "a SpecialToken of " + where);
  if (!FileFields::present(post, "special_tokens") || !post["special_tokens"].is_object() ||
      !post["special_tokens"].contains(name)) {
    fields.fail(fmt::format("'special_tokens' of {} lacks {}", where, in_quotes(name)));
  }
  const Json& special = post["special_tokens"][name];
  const Json& tokens = fields.array(special, "tokens", "'special_tokens' of " + where);
  const Json& ids = fields.array(special, "ids", "'special_tokens' of " + where);
  if (tokens.size() != ids.size())
    fields.fail(fmt::format("{} has not as many ids as tokens in {}", in_quotes(name), where));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].is_string()) fields.fail(fmt::format("'tokens' of {} in {} are no texts", in_quotes(name), where));
    if (!ids[i].is_number_unsigned()) fields.fail(fmt::format("'ids' of {} in {} are no ids", in_quotes(name), where));
    around.push_back({tokens[i].get<std::string>(), ids[i].get<std::uint64_t>()});
  }
}

void read_template(const FileFields& fields, const Json& post, TokenizerSource& source) {
  const std::string where = "the post-processor TemplateProcessing";
  fields.know_keys(post, where, {"type", "single", "pair", "special_tokens"});
  if (!source.before.empty() || !source.after.empty())
    fields.fail("two post-processors TemplateProcessing are not supported");
  bool text_seen = false;
  for (const Json& piece : fields.array(post, "single", where)) {
    if (FileFields::present(piece, "Sequence")) {
      if (text_seen) fields.fail(fmt::format("'single' of {} has the text twice", where));
      text_seen = true;
    } else if (FileFields::present(piece, "SpecialToken")) {
      add_special(fields, post, piece["SpecialToken"], text_seen ? source.after : source.before);
    } else {
      fields.fail(fmt::format("'single' of {} has a piece that is not known", where));
    }
  }
  if (!text_seen) fields.fail(fmt::format("'single' of {} has no text", where));
}

/// [token, id], the form in which the processors of BERT and RoBERTa name a token.
TokenizerSource::Around token_of_pair(const FileFields& fields, const Json& post, const char* key,
                                      const std::string& where) {
  const Json& pair = fields.array(post, key, where);
  if (pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number_unsigned()) {
    fields.fail(fmt::format("'{}' of {} is not [token, id]", key, where));
  }
  return {pair[0].get<std::string>(), pair[1].get<std::uint64_t>()};
}

/// One token before and one behind a text; the other members concern offsets.
void read_pair(const FileFields& fields, const Json& post, TokenizerSource& source) {
  const std::string where = "the post-processor " + post["type"].get<std::string>();
  fields.know_keys(post, where, {"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
  if (!source.before.empty() || !source.after.empty()) fields.fail(where + " behind another is not supported");
  source.before.push_back(token_of_pair(fields, post, "cls", where));
  source.after.push_back(token_of_pair(fields, post, "sep", where));
}

/// fused: whether tokens have become one text, of which a step then takes the start.
void read_decoder_step(const FileFields& fields, const Json& step, CharacterAlphabet& characters, bool& fused) {
  if (FileFields::is_type(step, "Sequence")) {
    for (const Json& part : fields.array(step, "decoders", "a decoder Sequence")) {
      read_decoder_step(fields, part, characters, fused);
    }
  } else if (FileFields::is_type(step, "Replace")) {
    const bool space = FileFields::present(step, "pattern") && step["pattern"].is_object() &&
                       step["pattern"].contains("String") && step["pattern"]["String"].is_string() &&
                       FileFields::present(step, "content") && step["content"] == " ";
    if (!space || !characters.space.empty()) {
      fields.fail("the decoder Replace is supported once, where it puts a space for a String");
    }
    characters.space = step["pattern"]["String"].get<std::string>();
  } else if (FileFields::is_type(step, "Metaspace")) {
    characters.space = fields.text(step, "replacement", "the decoder Metaspace");
    characters.strips_first_space = !FileFields::present(step, "prepend_scheme") || step["prepend_scheme"] != "never";
  } else if (FileFields::is_type(step, "Strip")) {
    const auto is = [&](const char* key, const Json& value) {
      return FileFields::present(step, key) && step[key] == value;
    };
    if (!fused || !is("content", " ") || !is("start", 1) || !is("stop", 0)) {
      fields.fail("the decoder Strip is supported for one space at the start only, behind Fuse");
    }
    characters.strips_first_space = true;
  } else if (FileFields::is_type(step, "Fuse")) {
    fused = true;
  } else if (!FileFields::is_type(step, "ByteFallback")) {
    fields.fail(fmt::format("decoder {} is not supported", FileFields::type_of(step)));
  }
}

}  // namespace

void read_post_processor(const FileFields& fields, const Json& post, TokenizerSource& source) {
  if (FileFields::is_type(post, "Sequence")) {
    fields.know_keys(post, "a post-processor Sequence", {"type", "processors"});
    for (const Json& part : fields.array(post, "processors", "a post-processor Sequence")) {
      read_post_processor(fields, part, source);
    }
  } else if (FileFields::is_type(post, "TemplateProcessing")) {
    read_template(fields, post, source);
  } else if (FileFields::is_type(post, "RobertaProcessing") || FileFields::is_type(post, "BertProcessing")) {
    read_pair(fields, post, source);
  } else if (!FileFields::is_type(post, "ByteLevel")) {  // which moves offsets only
    fields.fail(fmt::format("post-processor {} is not supported", FileFields::type_of(post)));
  }
}

void read_decoder(const FileFields& fields, const Json& decoder, CharacterAlphabet& characters) {
  bool fused = false;
  read_decoder_step(fields, decoder, characters, fused);
}

}  // namespace chainrule::io::tokenizer
