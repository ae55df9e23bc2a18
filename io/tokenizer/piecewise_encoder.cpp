#include "io/tokenizer/piecewise_encoder.h"

#include <utility>

namespace chainrule::io::tokenizer {

PiecewiseEncoder::PiecewiseEncoder(const Tokenizer& tokenizer, Take take, bool special_tokens, std::size_t text_bytes)
    : tokenizer_(tokenizer),
      take_(std::move(take)),
      special_tokens_(special_tokens),
      text_bytes_(text_bytes),
      next_try_(text_bytes) {}

void PiecewiseEncoder::append(std::string_view text) {
  text_ += text;
  if (text_.size() < next_try_) return;
  encode(tokenizer_.settled_prefix(text_));
  next_try_ = text_bytes_ + 2 * text_.size();  // linear time also where nothing is ever settled
}

void PiecewiseEncoder::finish() { encode(text_.size()); }

void PiecewiseEncoder::encode(std::size_t bytes) {
  if (bytes == 0) return;
  ids_.clear();
  tokenizer_.encode_part(std::string_view(text_).substr(0, bytes), !begun_, special_tokens_, ids_);
  begun_ = true;
  take_(ids_, bytes);
  text_.erase(0, bytes);
}

}  // namespace chainrule::io::tokenizer
