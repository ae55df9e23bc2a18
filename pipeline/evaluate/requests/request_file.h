#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/mapped_file.h"
#include "pipeline/evaluate/requests/request.h"

namespace chainrule::pipeline::evaluate::requests {

/// Requests that are scored together hold at most so many lines and, unless it is one line, bytes of them. Behind the
/// first line so many are new: not what a line begins with like the line before.
inline constexpr std::uint64_t kMostUnitRequests = 256;
inline constexpr std::uint64_t kMostUnitBytes = 1 << 22;
inline constexpr std::uint64_t kMostNewUnitBytes = 1 << 16;

/// A file of requests, a JSON object a line; lines of white space alone are passed over. It is cut into units of
/// consecutive requests by its content alone, whoever scores them. Memory: some bytes a unit; the file is mapped.
class RequestFile {
 public:
  /// Throws io::Error missing_input, and bad_data where it holds no request.
  explicit RequestFile(const std::filesystem::path& path);

  std::uint64_t units() const { return units_.size(); }
  std::uint64_t requests() const { return requests_; }
  std::uint64_t requests_of(std::uint64_t unit) const { return units_[unit].requests; }
  /// XXH3-128 of its bytes.
  std::string digest() const;

  /// Visits a unit's requests in order, each with what messages call it: "'r.jsonl', line 3". Throws what parse_request
  /// and visit throw.
  using VisitRequest = std::function<void(Request request, const std::string& name)>;
  void visit(std::uint64_t unit, const VisitRequest& visit) const;

 private:
  struct Unit {
    std::uint64_t begin = 0;  ///< byte
    std::uint64_t line = 0;   ///< before it
    std::uint64_t requests = 0;
  };
  std::string_view text() const;
  void cut();

  io::files::MappedFile file_;
  std::vector<Unit> units_;
  std::uint64_t requests_ = 0;
};

}  // namespace chainrule::pipeline::evaluate::requests
