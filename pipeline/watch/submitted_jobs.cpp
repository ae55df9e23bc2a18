#include "pipeline/watch/submitted_jobs.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <vector>

#include "io/error.h"
#include "io/files/file_end.h"
#include "io/files/presence.h"
#include "io/quote.h"

namespace chainrule::pipeline::watch {
namespace {

constexpr std::size_t kMostSubmittedBytes = 1 << 20;

using Fields = std::vector<std::string>;

/// The lines of a file, cut at tabs; none where there is no file. A line that is being written is passed over.
std::vector<Fields> read_lines(const std::filesystem::path& path, std::size_t fields) {
  std::vector<Fields> lines;
  if (!io::files::is_there(path)) return lines;
  const std::string text = io::files::read_small_file(path, kMostSubmittedBytes);
  std::size_t at = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    Fields line(1);
    for (; at < end; ++at) {
      if (text[at] == '\t') {
        line.emplace_back();
      } else {
        line.back() += text[at];
      }
    }
    at = end + 1;
    if (line.size() != fields) {
      throw io::Error(io::ErrorKind::bad_data, fmt::format("{}, line {}: there are not {} fields in it",
                                                           io::path_in_quotes(path), lines.size() + 1, fields));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

/// Where the last submission begins among the lines "scheduler, id, name": a chain is NAME, NAME.2, NAME.3 ...
std::size_t last_submission(const std::vector<Fields>& lines) {
  std::size_t first = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i][2] != fmt::format("{}.{}", lines[first][2], i - first + 1)) first = i;
  }
  return first;
}

}  // namespace

std::filesystem::path job_folder_of(const std::filesystem::path& run) {
  std::filesystem::path folder = run.has_filename() ? run : run.parent_path();
  return folder += ".job";
}

bool holds_pretraining(const std::filesystem::path& job_folder) {
  const std::filesystem::path command = job_folder / "command";
  return io::files::is_there(command) &&
         io::files::read_small_file(command, kMostSubmittedBytes).starts_with("pretrain ");
}

SubmittedJobs read_submitted_jobs(const std::filesystem::path& job_folder) {
  SubmittedJobs jobs;
  const std::vector<Fields> submitted = read_lines(job_folder / "submitted", 3);
  std::map<std::string, std::string> codes;  // a job that was requeued has several; the last one counts
  for (const Fields& line : read_lines(job_folder / "ended", 2)) codes[line[0]] = line[1];
  jobs.any = !submitted.empty();
  for (std::size_t i = last_submission(submitted); i < submitted.size(); ++i) {
    const auto code = codes.find(submitted[i][1]);
    if (code == codes.end()) {
      jobs.waiting = Job{submitted[i][0], submitted[i][1]};
      break;
    }
    jobs.last_end = fmt::format("job {} ended with {}", code->first, code->second);
    if (code->second != "0") break;  // those behind it never start
  }
  return jobs;
}

}  // namespace chainrule::pipeline::watch
