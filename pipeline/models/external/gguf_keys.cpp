#include "pipeline/models/external/gguf_keys.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::pipeline::models::external {

GgufKeys::GgufKeys(const io::tensors::gguf::Metadata& metadata, const std::string& architecture, std::string name)
    : metadata_(metadata), prefix_(architecture + "."), name_(std::move(name)) {}

const std::string& GgufKeys::asked(const std::string& key) { return *asked_.insert(prefix_ + key).first; }

bool GgufKeys::has(const std::string& key) { return metadata_.contains(asked(key)); }

std::int64_t GgufKeys::whole_number(const std::string& key) {
  const std::int64_t number = metadata_.whole_number(asked(key));
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // see ConfigFields
  if (number < -kMost || number > kMost) refuse(key, "is too large");
  return number;
}

std::int64_t GgufKeys::whole_number(const std::string& key, std::int64_t otherwise) {
  return has(key) ? whole_number(key) : otherwise;
}

double GgufKeys::number(const std::string& key) { return metadata_.number(asked(key)); }

double GgufKeys::number(const std::string& key, double otherwise) {
  return has(key) ? metadata_.number(prefix_ + key) : otherwise;
}

std::string GgufKeys::text(const std::string& key, const std::string& otherwise) {
  return has(key) ? std::string(metadata_.text(prefix_ + key)) : otherwise;
}

void GgufKeys::require(const std::string& key, std::int64_t value) {
  if (whole_number(key, value) != value) refuse(key, fmt::format("of other than {} is not built", value));
}

void GgufKeys::ignore(const std::string& key) { asked(key); }

void GgufKeys::refuse(const std::string& key, const std::string& why) const {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: the key '{}{}' {}", name_, prefix_, key, why));
}

void GgufKeys::refuse_tensor(const std::string& tensor, const std::string& why) const {
  throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: the tensor '{}' {}", name_, tensor, why));
}

void GgufKeys::refuse_others() const {
  for (const std::string& key : metadata_.keys()) {
    if (key.starts_with(prefix_) && !asked_.contains(key)) {
      throw io::Error(io::ErrorKind::bad_data,
                      fmt::format("{}: the key {} asks for something that is not built", name_, io::in_quotes(key)));
    }
  }
}

}  // namespace chainrule::pipeline::models::external
