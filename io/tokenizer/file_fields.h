#pragma once
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace chainrule::io::tokenizer {

/// Reads the members of objects in a tokenizer's file, of unknown origin: what is not as it should be, or not known, is
/// an Error bad_data that names the file and the member.
class FileFields {
 public:
  using Json = nlohmann::json;

  explicit FileFields(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }

  [[noreturn]] void fail(const std::string& what) const;

  static bool present(const Json& object, const char* key);
  static bool is_type(const Json& object, const char* type);
  /// An object's type in quotes, for messages.
  static std::string type_of(const Json& object);

  /// Whatever is not known may change ids.
  void know_keys(const Json& object, const std::string& where, std::initializer_list<std::string_view> keys) const;
  /// A member that is true, false or absent.
  bool flag(const Json& object, const char* key, bool otherwise, const std::string& where) const;
  std::string text(const Json& object, const char* key, const std::string& where) const;
  const Json& array(const Json& object, const char* key, const std::string& where) const;

 private:
  std::filesystem::path path_;
};

}  // namespace chainrule::io::tokenizer
