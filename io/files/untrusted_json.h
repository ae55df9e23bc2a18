#pragma once
#include <cstddef>
#include <filesystem>
#include <istream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace chainrule::io::files {

/// JSON that nests deeper is refused: nothing here needs more, and whoever walks or prints a value may recurse.
inline constexpr std::size_t kDeepestJson = 128;

/// The parser's events of a JSON text of unknown origin. The first thing that is wrong is kept in `fault` and ends the
/// parsing: malformed text, a number that no double holds, and nesting beyond kDeepestJson. No exception, and nothing
/// of the text in what is said. Derived classes see values as they are parsed; where one returns false the parsing
/// ends.
class JsonEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  /// Sends itself the events of text, which is to be one JSON value; false where that ended early, and fault() says
  /// why. The library takes a zero byte for the end of the text; here it is malformed, as JSON has it.
  bool parse(std::string_view text);
  /// The events of the value that the stream goes on with; what is behind it stays in the stream.
  bool parse_next(std::istream& stream);

  enum class Fault {
    none,
    malformed,     ///< not JSON, cut short, or not UTF-8
    number,        ///< beyond a double
    depth,         ///< beyond kDeepestJson
    repeated_key,  ///< where derived classes refuse it
  };
  Fault fault() const { return fault_; }
  /// What is wrong, in words.
  std::string what() const;
  /// Bytes read when it was noticed; known for malformed text and numbers.
  std::size_t fault_byte() const { return fault_byte_; }
  /// Open objects and arrays.
  std::size_t depth() const { return depth_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool key(string_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::json::exception& error) override;

 protected:
  bool enter();
  bool leave();
  bool refuse(Fault fault);

 private:
  Fault fault_ = Fault::none;
  std::size_t fault_byte_ = 0;
  std::size_t depth_ = 0;
};

/// The value of a JSON text of unknown origin. name says in messages whose text it is. Throws Error bad_data
/// "{name} is not JSON: line 3, byte 17: ..." for what JsonEvents refuses and for an object that has a key twice.
nlohmann::json parse_untrusted_json(std::string_view text, std::string_view name);

/// parse_untrusted_json of a file's content under its quoted path. Throws also what read_file throws.
nlohmann::json read_untrusted_json(const std::filesystem::path& path);

}  // namespace chainrule::io::files
