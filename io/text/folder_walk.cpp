#include "io/text/folder_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <system_error>

#include "io/error.h"
#include "io/quote.h"
#include "io/text/own_folder.h"

namespace chainrule::io::text {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_reading(const fs::path& path, const std::error_code& error) {
  throw Error(ErrorKind::missing_input, fmt::format("cannot read {}: {}", path_in_quotes(path), error.message()));
}

/// NAME.partial-N, written beside NAME until it is whole.
bool is_unfinished(const std::string& name) {
  const std::size_t at = name.rfind(".partial-");
  return at != std::string::npos && at + 9 < name.size() &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(at) + 9, name.end(),
                     [](unsigned char each) { return std::isdigit(each) != 0; });
}

/// Names in a folder.
std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    names.insert(entry->path().filename().native());
  }
  if (error) fail_reading(folder, error);
  return names;
}

/// The folder itself first, then the folders that links lead to in the order of the links' paths: so a file is found by
/// its own path where it has one below the folder, and no folder is walked twice.
class Walk {
 public:
  Walk(const fs::path& root, const std::string& name) : root_(root), name_(name) {}

  FolderContent run() {
    folders_.emplace("", root_);
    while (!folders_.empty() || !linked_.empty()) {
      auto& next = folders_.empty() ? linked_ : folders_;
      const auto [below, canonical] = *next.begin();
      next.erase(next.begin());
      if (visited_.insert(canonical.native()).second) visit(below, canonical);
    }
    std::sort(content_.files.begin(), content_.files.end(),
              [](const FolderFile& a, const FolderFile& b) { return a.below < b.below; });
    return std::move(content_);
  }

 private:
  void leave_out(const std::string& below, std::string_view why, const std::string& what = "") {
    content_.left_out.push_back({(fs::path(name_) / below).native(), why, what});
  }

  void visit(const std::string& below, const fs::path& canonical) {
    const std::set<std::string> names = names_in(canonical);
    if (const std::string what = own_folder(canonical, names); !what.empty()) {
      if (below.empty()) {
        throw Error(ErrorKind::bad_data,
                    fmt::format("{} is {} of chainrule's, not text", in_quotes(name_, std::string::npos), what));
      }
      leave_out(below, kWhyOwn, what);
      return;
    }
    // A Hugging Face cache: what its blobs are called, and which there are, its snapshots say.
    const bool is_cache = names.contains("blobs") && names.contains("refs") && names.contains("snapshots");
    for (const std::string& name : names) {
      const std::string path = below.empty() ? name : below + "/" + name;
      if (name.front() == '.') {
        leave_out(path, kWhyHidden);
      } else if (is_unfinished(name)) {
        leave_out(path, kWhyUnfinished);
      } else if (is_cache && (name == "blobs" || name == "refs")) {
        leave_out(path, kWhyCache);
      } else {
        place(path, canonical / name);
      }
    }
  }

  void place(const std::string& below, const fs::path& path) {
    std::error_code error;
    const bool is_link = fs::is_symlink(fs::symlink_status(path, error));
    if (error) fail_reading(path, error);
    const fs::file_status status = fs::status(path, error);
    if (is_link && (status.type() == fs::file_type::not_found || error == std::errc::too_many_symbolic_link_levels)) {
      leave_out(below, error == std::errc::too_many_symbolic_link_levels ? kWhyCircle : kWhyLost);
      return;
    }
    if (error) fail_reading(path, error);
    const fs::path canonical = is_link ? fs::canonical(path, error) : path;
    if (error) fail_reading(path, error);
    if (fs::is_regular_file(status)) {
      content_.files.push_back({below, canonical.native()});
    } else if (!fs::is_directory(status)) {
      leave_out(below, kWhyNeither);
    } else if (!is_link) {
      folders_.emplace(below, canonical);
    } else if (holds_root(canonical)) {
      leave_out(below, kWhyCircle);
    } else {
      linked_.emplace(below, canonical);
    }
  }

  /// Whether the folder that is walked lies in this one, or is it.
  bool holds_root(const fs::path& canonical) const {
    return std::mismatch(canonical.begin(), canonical.end(), root_.begin(), root_.end()).first == canonical.end();
  }

  const fs::path& root_;
  const std::string& name_;
  std::map<std::string, fs::path> folders_;  // to be walked, by path below the root
  std::map<std::string, fs::path> linked_;   // by the links' paths
  std::set<std::string> visited_;
  FolderContent content_;
};

}  // namespace

FolderContent walk_folder(const fs::path& canonical, const std::string& name) { return Walk(canonical, name).run(); }

}  // namespace chainrule::io::text
