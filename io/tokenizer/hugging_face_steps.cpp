// How a tokenizer.json normalizes and cuts text.
#include "io/tokenizer/hugging_face_steps.h"

#include <fmt/format.h>

#include <map>

#include "io/error.h"
#include "io/quote.h"
#include "io/text/characters.h"
#include "io/tokenizer/pattern.h"
#include "io/tokenizer/piece_scanner.h"

namespace chainrule::io::tokenizer {
namespace {

using Json = nlohmann::json;

/// The steps that a step stands for, sequences resolved.
void flatten(const FileFields& fields, const Json& step, const std::string& kind, const char* members,
             std::vector<const Json*>& steps) {
  if (!FileFields::is_type(step, "Sequence")) {
    steps.push_back(&step);
    return;
  }
  const std::string where = fmt::format("a {} Sequence", kind);
  fields.know_keys(step, where, {"type", members});
  for (const Json& part : fields.array(step, members, where)) flatten(fields, part, kind, members, steps);
}

std::string pattern_string(const FileFields& fields, const Json& object, const char* form, const std::string& where) {
  if (!FileFields::present(object, "pattern") || !object["pattern"].is_object() || object["pattern"].size() != 1 ||
      !object["pattern"].contains(form) || !object["pattern"][form].is_string()) {
    fields.fail(fmt::format("the pattern of {} is not a {}", where, form));
  }
  std::string pattern = object["pattern"][form].get<std::string>();
  if (pattern.empty()) fields.fail(fmt::format("the pattern of {} is empty", where));
  return pattern;
}

SplitBehavior behavior_of(const FileFields& fields, const Json& split) {
  static const std::map<std::string, SplitBehavior> kBehaviors = {
      {"Isolated", SplitBehavior::isolated},
      {"Removed", SplitBehavior::removed},
      {"MergedWithPrevious", SplitBehavior::merged_with_previous},
      {"MergedWithNext", SplitBehavior::merged_with_next},
      {"Contiguous", SplitBehavior::contiguous},
  };
  const std::string name = fields.text(split, "behavior", "the pre-tokenizer Split");
  const auto found = kBehaviors.find(name);
  if (found == kBehaviors.end()) {
    fields.fail(fmt::format("the 'behavior' {} of the pre-tokenizer Split is not known", in_quotes(name)));
  }
  return found->second;
}

Split read_split(const FileFields& fields, const Json& step) {
  const std::string where = "the pre-tokenizer Split";
  fields.know_keys(step, where, {"type", "pattern", "behavior", "invert"});
  Split split;
  split.literal =
      FileFields::present(step, "pattern") && step["pattern"].is_object() && step["pattern"].contains("String");
  split.pattern = pattern_string(fields, step, split.literal ? "String" : "Regex", where);
  split.behavior = behavior_of(fields, step);
  split.invert = fields.flag(step, "invert", false, where);
  if (split.literal) return split;
  try {
    const Pattern compiled(split.pattern);
  } catch (const Error& error) {
    fields.fail(error.what());
  }
  const bool drops_gaps = split.behavior == SplitBehavior::removed && split.invert;
  if (drops_gaps && matches_everything(split.pattern)) split.behavior = SplitBehavior::isolated;
  if (split.behavior == SplitBehavior::isolated || split.behavior == SplitBehavior::contiguous) split.invert = false;
  return split;
}

Metaspace read_metaspace(const FileFields& fields, const Json& step) {
  const std::string where = "the pre-tokenizer Metaspace";
  fields.know_keys(step, where, {"type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"});
  static const std::map<std::string, Metaspace::Before> kSchemes = {
      {"always", Metaspace::Before::always}, {"first", Metaspace::Before::first}, {"never", Metaspace::Before::never}};
  Metaspace metaspace{fields.text(step, "replacement", where), Metaspace::Before::always,
                      fields.flag(step, "split", true, where)};
  const std::string& replacement = metaspace.replacement;
  if (replacement.empty() || text::character_at(replacement, 0).bytes != replacement.size()) {
    fields.fail(fmt::format("'replacement' of {} is not one character", where));
  }
  if (FileFields::present(step, "prepend_scheme")) {
    const std::string scheme = fields.text(step, "prepend_scheme", where);
    const auto found = kSchemes.find(scheme);
    if (found == kSchemes.end()) {
      fields.fail(fmt::format("'prepend_scheme' {} of {} is not known", in_quotes(scheme), where));
    }
    metaspace.before = found->second;
  }
  if (!fields.flag(step, "add_prefix_space", true, where) && metaspace.before != Metaspace::Before::never) {
    fields.fail(fmt::format("'add_prefix_space' of {} contradicts its 'prepend_scheme'", where));
  }
  return metaspace;
}

/// Whether it is the last step; the steps before it are in source.
void read_byte_level(const FileFields& fields, const Json& step, TokenizerSource& source) {
  const std::string where = "the pre-tokenizer ByteLevel";
  fields.know_keys(step, where, {"type", "add_prefix_space", "trim_offsets", "use_regex"});
  if (fields.flag(step, "add_prefix_space", true, where)) source.pre_tokenizations.emplace_back(PrefixSpace{});
  if (fields.flag(step, "use_regex", true, where)) {
    std::get<Split>(source.pre_tokenizations.emplace_back(std::in_place_type<Split>)).pattern = kGpt2Pattern;
  }
}

}  // namespace

void read_normalizer(const FileFields& fields, const Json& normalizer, TokenizerSource& source) {
  std::vector<const Json*> steps;
  flatten(fields, normalizer, "normalizer", "normalizers", steps);
  for (const Json* step : steps) {
    if (FileFields::is_type(*step, "NFC")) {
      fields.know_keys(*step, "the normalizer NFC", {"type"});
      source.normalizations.emplace_back(ComposeCanonically{});
    } else if (FileFields::is_type(*step, "Prepend")) {
      fields.know_keys(*step, "the normalizer Prepend", {"type", "prepend"});
      source.normalizations.emplace_back(Prepend{fields.text(*step, "prepend", "the normalizer Prepend")});
    } else if (FileFields::is_type(*step, "Replace")) {
      fields.know_keys(*step, "the normalizer Replace", {"type", "pattern", "content"});
      source.normalizations.emplace_back(Replace{pattern_string(fields, *step, "String", "the normalizer Replace"),
                                                 fields.text(*step, "content", "the normalizer Replace")});
    } else {
      fields.fail(fmt::format("normalizer {} is not supported", FileFields::type_of(*step)));
    }
  }
}

void read_pre_tokenizer(const FileFields& fields, const Json& pre_tokenizer, TokenizerSource& source) {
  std::vector<const Json*> steps;
  flatten(fields, pre_tokenizer, "pre-tokenizer", "pretokenizers", steps);
  bool metaspace = false;
  for (const Json* step : steps) {
    if (!source.characters) fields.fail("a pre-tokenizer behind ByteLevel is not supported");
    if (FileFields::is_type(*step, "ByteLevel")) {
      if (metaspace) fields.fail("the pre-tokenizers Metaspace and ByteLevel together are not supported");
      read_byte_level(fields, *step, source);
      source.characters.reset();
    } else if (FileFields::is_type(*step, "Split")) {
      source.pre_tokenizations.emplace_back(read_split(fields, *step));
    } else if (FileFields::is_type(*step, "Digits")) {
      fields.know_keys(*step, "the pre-tokenizer Digits", {"type", "individual_digits"});
      source.pre_tokenizations.emplace_back(
          CutDigits{fields.flag(*step, "individual_digits", false, "the pre-tokenizer Digits")});
    } else if (FileFields::is_type(*step, "Metaspace")) {
      metaspace = true;
      const Metaspace read = read_metaspace(fields, *step);
      if (read.before == Metaspace::Before::first && !source.normalizations.empty()) {
        fields.fail("'prepend_scheme' first of the pre-tokenizer Metaspace is not supported with a normalizer");
      }
      source.pre_tokenizations.emplace_back(read);
    } else {
      fields.fail(fmt::format("pre-tokenizer {} is not supported", FileFields::type_of(*step)));
    }
  }
}

}  // namespace chainrule::io::tokenizer
