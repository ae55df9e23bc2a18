#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/evaluate/journal/unit_result.h"
#include "pipeline/run/hold_file.h"

namespace chainrule::pipeline::evaluate::journal {

/// What a journal begins with.
struct JournalHeader {
  std::string identity;  ///< in a line, all that decides what a unit says; journals of others do not go together
  std::string about;     ///< JSON: what else whoever makes a report of it has to know
};

/// The results of an evaluation's units as they are finished, in one file: a header, then a record a unit in any order.
/// A process that is killed leaves whole records and at most a piece of one. Memory: some bytes a unit.
class Journal {
 public:
  /// Makes path, or goes on with the one that is there, which this process alone then writes to: a piece of a record at
  /// its end is cut off. Throws io::Error: cannot_create where it cannot be made, another process has it, or it is of
  /// another evaluation; bad_data where it is no journal; input_output.
  static Journal open(const std::filesystem::path& path, const JournalHeader& header);
  /// Does this file begin as a journal does? Throws io::Error missing_input.
  static bool begins(const std::filesystem::path& path);
  /// For reading; all of it must be whole. Throws io::Error (missing_input, bad_data, input_output).
  static Journal read(const std::filesystem::path& path);
  /// For a look at one that is perhaps being written: what is whole of it. Throws as read() does.
  static Journal look_at(const std::filesystem::path& path);

  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  const std::filesystem::path& path() const { return path_; }
  const JournalHeader& header() const { return header_; }
  bool has(std::uint64_t unit) const { return places_.contains(unit); }
  std::size_t units() const { return places_.size(); }
  std::uint64_t tokens() const { return tokens_; }
  /// Behind the last whole record: of one that is being written, or was when its writer died.
  std::uint64_t bytes_left_over() const { return file_bytes_ - end_; }
  /// Its units as the fewest ranges [first, end), ascending.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges() const;

  /// Throws io::Error cannot_create where it is not this process's any more: see run::HoldFile.
  void require_hold() const;
  /// Adds a record (see to_record) of a unit that it has not yet. Throws io::Error input_output, and as require_hold().
  void append(std::span<const std::byte> record);
  /// Makes sure that what was appended survives the machine. Throws io::Error input_output.
  void sync() const;
  /// A unit's result, verified. Throws io::Error: bad_data where it is missing or damaged; input_output.
  UnitResult result(std::uint64_t unit) const;

 private:
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };
  Journal(std::filesystem::path path, int file) : path_(std::move(path)), file_(file) {}
  std::uint64_t bytes_of_file() const;
  /// Whether all that is there is a beginning of text, which has more.
  bool holds_less_than(const std::string& text) const;
  bool read_header();
  void read_records();
  void write(std::span<const std::byte> bytes);
  std::vector<std::byte> bytes_at(std::uint64_t offset, std::uint64_t bytes) const;
  [[noreturn]] void fail(const char* operation) const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::filesystem::path path_;
  int file_;
  std::unique_ptr<run::HoldFile> hold_;  ///< where the file system has no locks
  JournalHeader header_;
  std::uint64_t end_ = 0;  ///< of what is whole
  std::uint64_t file_bytes_ = 0;
  std::uint64_t tokens_ = 0;
  std::map<std::uint64_t, Place> places_;
};

}  // namespace chainrule::pipeline::evaluate::journal
