#include "io/tokenizer/published_ranks.h"

#include <fmt/format.h>

#include <array>

#include "io/tokenizer/definition.h"
#include "io/tokenizer/piece_scanner.h"

namespace chainrule::io::tokenizer {
namespace {

using Names = std::vector<std::string>;

/// Appends `format` with the numbers first to last - 1.
void add_numbered(Names& names, std::string_view before, unsigned first, unsigned last) {
  for (unsigned number = first; number < last; ++number) names.push_back(fmt::format("<|{}_{}|>", before, number));
}

PublishedRanks gpt2() { return {kGpt2Pattern, false, {kEndOfText}, ""}; }

PublishedRanks llama3() {
  constexpr unsigned kSpecialTokens = 256;
  Names names = {"<|begin_of_text|>",
                 "<|end_of_text|>",
                 "<|reserved_special_token_0|>",
                 "<|reserved_special_token_1|>",
                 "<|finetune_right_pad_id|>",
                 "<|step_id|>",
                 "<|start_header_id|>",
                 "<|end_header_id|>",
                 "<|eom_id|>",
                 "<|eot_id|>",
                 "<|python_tag|>",
                 "<|image|>"};
  add_numbered(names, "reserved_special_token", 2, 2 + kSpecialTokens - static_cast<unsigned>(names.size()));
  return {kLlama3Pattern, false, std::move(names), "<|begin_of_text|>"};
}

void add_llama4_text(Names& names) {
  for (const char* name : {"<|header_start|>", "<|header_end|>", "<|eom|>", "<|eot|>", "<|step|>"}) {
    names.emplace_back(name);
  }
  add_numbered(names, "text_post_train_reserved_special_token", 0, 6);
  for (const char* name : {"<|python_start|>", "<|python_end|>", "<|finetune_right_pad|>"}) names.emplace_back(name);
  add_numbered(names, "text_post_train_reserved_special_token", 8, 69);
}

void add_llama4_vision(Names& names) {
  const auto reserved = [&](unsigned first, unsigned last) {
    add_numbered(names, "vision_reserved_special_token", first, last);
  };
  names.insert(names.end(), {"<|image_start|>", "<|image_end|>"});
  reserved(0, 2);
  names.insert(names.end(), {"<|tile_x_separator|>", "<|tile_y_separator|>"});
  reserved(2, 6);
  names.emplace_back("<|image|>");
  reserved(6, 7);
  names.emplace_back("<|patch|>");
  reserved(7, 1048);
}

PublishedRanks llama4() {
  constexpr unsigned kSpecialTokens = 2048;
  Names names = {"<|begin_of_text|>", "<|end_of_text|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"};
  add_llama4_text(names);
  add_llama4_vision(names);
  add_numbered(names, "reasoning_reserved_special_token", 0, 8);
  names.insert(names.end(), {"<|reasoning_thinking_start|>", "<|reasoning_thinking_end|>"});
  add_numbered(names, "reserved_special_token", 0, kSpecialTokens - static_cast<unsigned>(names.size()));
  return {kLlama4Pattern, false, std::move(names), "<|begin_of_text|>"};
}

PublishedRanks qwen() {
  Names names = {kEndOfText, "<|im_start|>", "<|im_end|>"};
  add_numbered(names, "extra", 0, 205);
  return {kQwen2Pattern, true, std::move(names), ""};
}

PublishedRanks qwen36() {
  return {kQwen35Pattern,
          true,
          {kEndOfText,
           "<|im_start|>",
           "<|im_end|>",
           "<|object_ref_start|>",
           "<|object_ref_end|>",
           "<|box_start|>",
           "<|box_end|>",
           "<|quad_start|>",
           "<|quad_end|>",
           "<|vision_start|>",
           "<|vision_end|>",
           "<|vision_pad|>",
           "<|image_pad|>",
           "<|video_pad|>",
           "<tool_call>",
           "</tool_call>",
           "<|fim_prefix|>",
           "<|fim_middle|>",
           "<|fim_suffix|>",
           "<|fim_pad|>",
           "<|repo_name|>",
           "<|file_sep|>",
           "<tool_response>",
           "</tool_response>",
           "<think>",
           "</think>",
           "<|audio_start|>",
           "<|audio_end|>",
           "<tts_pad>",
           "<tts_text_bos>",
           "<tts_text_eod>",
           "<tts_text_bos_single>",
           "<|audio_pad|>"},
          ""};
}

struct Known {
  std::string_view digest;
  std::string_view name;
  PublishedRanks (*make)();
};

constexpr std::array kKnown = {
    Known{"aa5ef69a716d8a563cb2fbe95939bd2d", "r50k_base", &gpt2},
    Known{"22e6ee98364f2a1fe7339703bb9e9d7b", "Llama 3", &llama3},
    Known{"fd1ec8f19c117ba2d2fc82dae9636e64", "Llama 4", &llama4},
    Known{"d68162fbd6d3acb39f288efcb5368aab", "Qwen", &qwen},
    Known{"c5a27faf8898f9912a38d0d36c85cbae", "Qwen3.6", &qwen36},
};

}  // namespace

std::optional<PublishedRanks> published_ranks(std::string_view digest) {
  for (const Known& known : kKnown) {
    if (known.digest == digest) return known.make();
  }
  return std::nullopt;
}

std::string names_of_published_ranks() {
  std::string names;
  for (const Known& known : kKnown) {
    if (!names.empty()) names += ", ";
    names += known.name;
  }
  return names;
}

}  // namespace chainrule::io::tokenizer
