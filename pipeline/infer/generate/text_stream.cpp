#include "pipeline/infer/generate/text_stream.h"

#include <algorithm>

#include "pipeline/show/legible.h"

namespace chainrule::pipeline::infer::generate {
namespace {

/// Bytes of the longest proper prefix of stop that text ends in.
std::size_t begun(std::string_view text, std::string_view stop) {
  std::size_t length = std::min(text.size(), stop.size() - 1);
  while (length > 0 && !text.ends_with(stop.substr(0, length))) --length;
  return length;
}

}  // namespace

std::string TextStream::give(std::size_t end) {
  std::string piece = text_.substr(given_, end - given_);
  given_ = end;
  return piece;
}

std::string TextStream::push(std::string_view bytes) {
  if (stopped_) return "";
  text_ += bytes;
  std::size_t stop = std::string::npos;
  for (const std::string& each : stops_) stop = std::min(stop, text_.find(each, given_));
  if (stop != std::string::npos) {
    stopped_ = true;
    text_.resize(stop);
    return give(stop);
  }
  const std::string_view held = std::string_view(text_).substr(given_);
  std::size_t safe = held.size();
  for (const std::string& each : stops_) safe = std::min(safe, held.size() - begun(held, each));
  return give(given_ + show::whole_characters(held.substr(0, safe)));
}

std::string TextStream::finish() { return give(text_.size()); }

}  // namespace chainrule::pipeline::infer::generate
