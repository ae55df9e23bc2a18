#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/files/untrusted_json.h"

namespace chainrule::io::tensors::safetensors {

/// What a header says of a tensor.
struct HeaderEntry {
  std::optional<std::string> type;
  std::optional<std::vector<std::int64_t>> shape;
  std::optional<std::vector<std::int64_t>> data_offsets;
};

/// Takes a header while it is parsed, so that nothing is kept but what belongs there: {"name": {"dtype": string,
/// "shape": [numbers], "data_offsets": [begin, end]}}, and "__metadata__" of strings, which are not kept. Anything else
/// ends the parsing, and problem() says what.
class HeaderEvents final : public files::JsonEvents {
 public:
  const std::map<std::string, HeaderEntry>& entries() const { return entries_; }
  std::string problem() const { return problem_.empty() ? what() : problem_; }

  bool null() override { return unexpected(); }
  bool boolean(bool) override { return unexpected(); }
  bool number_integer(number_integer_t) override { return wrong("holds a number below 0"); }
  bool number_unsigned(number_unsigned_t value) override;
  bool number_float(number_float_t, const string_t&) override { return unexpected(); }
  bool string(string_t& value) override;
  bool key(string_t& name) override;
  bool start_object(std::size_t) override;
  bool end_object() override;
  bool start_array(std::size_t) override;
  bool end_array() override;

 private:
  bool begin_entry(const std::string& name);
  bool begin_field(const std::string& field);
  bool wrong(const std::string& what);
  bool unexpected() { return wrong("holds something that does not belong there"); }

  std::map<std::string, HeaderEntry> entries_;
  std::string name_;              ///< of the member that is read
  HeaderEntry* entry_ = nullptr;  ///< none in __metadata__
  bool has_metadata_ = false;
  std::set<std::string> fields_;  ///< of that member, so far
  std::string field_;
  std::vector<std::int64_t>* array_ = nullptr;  ///< that is open
  std::string problem_;
};

}  // namespace chainrule::io::tensors::safetensors
