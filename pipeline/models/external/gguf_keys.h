#pragma once
#include <cstdint>
#include <set>
#include <string>

#include "io/tensors/gguf/metadata.h"

namespace chainrule::pipeline::models::external {

/// The keys of an architecture, which are asked for one by one; refuse_others() then refuses those that nobody asked
/// for. Everything throws io::Error bad_data naming the file and the key.
class GgufKeys {
 public:
  /// name is what messages call the file; the metadata outlive this.
  GgufKeys(const io::tensors::gguf::Metadata& metadata, const std::string& architecture, std::string name);

  bool has(const std::string& key);
  /// Up to 2^40 either way.
  std::int64_t whole_number(const std::string& key);
  std::int64_t whole_number(const std::string& key, std::int64_t otherwise);
  double number(const std::string& key);
  double number(const std::string& key, double otherwise);
  std::string text(const std::string& key, const std::string& otherwise);

  /// Refuses every value but this one; the key may be absent.
  void require(const std::string& key, std::int64_t value);
  /// The key may hold what it wants: it changes no probability.
  void ignore(const std::string& key);
  [[noreturn]] void refuse(const std::string& key, const std::string& why) const;
  /// Refuses a tensor of the file, whatever its architecture.
  [[noreturn]] void refuse_tensor(const std::string& tensor, const std::string& why) const;
  void refuse_others() const;

 private:
  const std::string& asked(const std::string& key);

  const io::tensors::gguf::Metadata& metadata_;
  std::string prefix_;
  std::string name_;
  std::set<std::string> asked_;
};

}  // namespace chainrule::pipeline::models::external
