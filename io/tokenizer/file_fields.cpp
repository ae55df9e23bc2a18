#include "io/tokenizer/file_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/quote.h"
#include "io/tokenizer/source.h"

namespace chainrule::io::tokenizer {

void FileFields::fail(const std::string& what) const { refuse_tokenizer(path_, what); }

bool FileFields::present(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) && !object[key].is_null();
}

bool FileFields::is_type(const Json& object, const char* type) {
  return object.is_object() && object.contains("type") && object["type"] == type;
}

std::string FileFields::type_of(const Json& object) {
  if (!object.is_object() || !object.contains("type") || !object["type"].is_string()) return "of no type";
  return in_quotes(object["type"].get_ref<const std::string&>());
}

void FileFields::know_keys(const Json& object, const std::string& where,
                           std::initializer_list<std::string_view> keys) const {
  for (const auto& member : object.items()) {
    if (std::find(keys.begin(), keys.end(), member.key()) == keys.end()) {
      fail(fmt::format("{} of {} is not known, and may change ids", in_quotes(member.key()), where));
    }
  }
}

bool FileFields::flag(const Json& object, const char* key, bool otherwise, const std::string& where) const {
  if (!present(object, key)) return otherwise;
  if (!object[key].is_boolean()) fail(fmt::format("'{}' of {} is not true or false", key, where));
  return object[key].get<bool>();
}

std::string FileFields::text(const Json& object, const char* key, const std::string& where) const {
  if (!present(object, key) || !object[key].is_string()) fail(fmt::format("'{}' of {} is not a text", key, where));
  return object[key].get<std::string>();
}

const FileFields::Json& FileFields::array(const Json& object, const char* key, const std::string& where) const {
  if (!present(object, key) || !object[key].is_array()) fail(fmt::format("'{}' of {} is not an array", key, where));
  return object[key];
}

}  // namespace chainrule::io::tokenizer
