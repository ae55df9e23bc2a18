#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "io/tokenizer/tokenizer.h"
#include "io/tokens/remade_stream.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/plan.h"

namespace chainrule::pipeline::evaluate {

/// What protocols' windows lie over: the data, or text that is made of it once, when a plan first asks for it.
class ProtocolText {
 public:
  using LoadTokenizer = std::function<io::tokenizer::Tokenizer()>;
  /// load_tokenizer: called where the tokenizer is needed. data outlives this.
  ProtocolText(const io::tokens::TokenStream& data, LoadTokenizer load_tokenizer)
      : data_(data), load_tokenizer_(std::move(load_tokenizer)) {}

  /// The text of a plan. Throws what making it throws, NotItsText among it.
  const io::tokens::TokenStream& of(const EvaluationPlan& plan);
  /// Whether the documents of a plan spell a special token: the first one, where all text was looked through; among
  /// every `parts`-th document from `part`, where it was not joined. Throws what reading throws.
  std::optional<io::tokens::SpelledToken> spelled_token(const EvaluationPlan& plan, std::uint64_t part,
                                                        std::uint64_t parts);
  const io::tokenizer::Tokenizer& tokenizer();

 private:
  const io::tokens::TokenStream& data_;
  LoadTokenizer load_tokenizer_;
  std::optional<io::tokenizer::Tokenizer> tokenizer_;
  io::tokens::RemadeStream joined_, wrapped_;
};

/// Makes a plan's text on every rank, the same, and says why the plan's protocol cannot score it; empty where it can.
/// Throws AgreedError. Collective.
std::string prepare_text(const comm::Communicator& communicator, const EvaluationPlan& plan, ProtocolText& text);

}  // namespace chainrule::pipeline::evaluate
