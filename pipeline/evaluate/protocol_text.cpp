#include "pipeline/evaluate/protocol_text.h"

#include <fmt/format.h>

#include <limits>

#include "io/quote.h"
#include "pipeline/comm/agreement.h"

namespace chainrule::pipeline::evaluate {
namespace {

using windows::protocol::Protocol;
using windows::protocol::Text;

constexpr std::int64_t kNoDocument = std::numeric_limits<std::int64_t>::max();

std::string said_of_spelled(const Protocol& protocol, std::int64_t document) {
  if (document == kNoDocument) return {};
  return fmt::format(
      "document {} spells a special token, which the programs that score by protocol {} read as that "
      "token, and here it is text",
      document, protocol.name);
}

/// What the peers' own programs refuse.
std::string why_not_of_template(const EvaluationPlan& plan) {
  const Protocol& protocol = *plan.subject.windows.protocol;
  if (protocol.prefix != windows::protocol::Prefix::beginning) return {};
  if (!plan.around.after.empty())
    return "the tokenizer's template puts tokens behind a text, with which llama.cpp gives no perplexity";
  if (plan.around.before.size() > 1)
    return "the tokenizer's template puts several tokens before a text, of which llama.cpp knows one";
  return {};
}

std::string why_too_short(const EvaluationPlan& plan, const io::tokens::TokenStream& text) {
  const windows::protocol::ScoringOptions& windows = plan.subject.windows;
  const Protocol& protocol = *windows.protocol;
  const std::uint64_t tokens = text.token_count();
  const std::uint64_t fewest = protocol.fewest_contexts * static_cast<std::uint64_t>(windows.context_length);
  if (tokens < fewest) {
    return fmt::format("its {} tokens are fewer than the {} that protocol {} asks for at context length {}", tokens,
                       fewest, protocol.name, windows.context_length);
  }
  if (windows::protocol::scores_anything(windows, {text, plan.subject.documents})) return {};
  return fmt::format("its {} documents hold no token that protocol {} scores", plan.subject.documents, protocol.name);
}

}  // namespace

const io::tokenizer::Tokenizer& ProtocolText::tokenizer() {
  if (!tokenizer_) tokenizer_.emplace(load_tokenizer_());
  return *tokenizer_;
}

const io::tokens::TokenStream& ProtocolText::of(const EvaluationPlan& plan) {
  if (plan.text() == Text::documents) return data_;
  if (plan.text() == Text::wrapped) {
    if (!wrapped_.stream) wrapped_ = io::tokens::wrap_documents(data_, plan.subject.documents, plan.around);
    return *wrapped_.stream;
  }
  if (!joined_.stream) {
    joined_ = io::tokens::join_documents(data_, tokenizer(), plan.subject.documents, plan.around);
  }
  return *joined_.stream;
}

std::optional<io::tokens::SpelledToken> ProtocolText::spelled_token(const EvaluationPlan& plan, std::uint64_t part,
                                                                    std::uint64_t parts) {
  if (joined_.stream) return joined_.spelled;
  return io::tokens::find_spelled_token(data_, tokenizer(), plan.subject.documents, part, parts);
}

std::string prepare_text(const comm::Communicator& communicator, const EvaluationPlan& plan, ProtocolText& text) {
  const Protocol& protocol = *plan.subject.windows.protocol;
  const auto part = static_cast<std::uint64_t>(communicator.rank());
  const auto parts = static_cast<std::uint64_t>(communicator.size());
  std::string why_not = why_not_of_template(plan);
  std::string fingerprint;
  std::int64_t spelled = kNoDocument;
  comm::agree(communicator, [&] {
    if (!why_not.empty()) return;
    try {
      fingerprint = text.of(plan).fingerprint();
    } catch (const io::tokens::NotItsText& error) {
      why_not = error.what();
      return;
    }
    why_not = why_too_short(plan, text.of(plan));
    if (protocol.special_tokens_are_text || !why_not.empty()) return;
    if (const auto found = text.spelled_token(plan, part, parts)) spelled = static_cast<std::int64_t>(found->document);
  });
  const std::string name = fmt::format("the text of {} for protocol {}", io::path_in_quotes(plan.data), protocol.name);
  comm::require_same(communicator, failure::ExitCode::bad_data, name, fingerprint + why_not);
  spelled = -communicator.maximum(-spelled);  // the first document of any rank
  return why_not.empty() ? said_of_spelled(protocol, spelled) : why_not;
}

}  // namespace chainrule::pipeline::evaluate
