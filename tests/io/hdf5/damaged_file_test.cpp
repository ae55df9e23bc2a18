// Files damaged in every byte, cut at every length and mutated at random: reading one gives the values that were
// written, or an Error, and ends.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>

#include "io/error.h"
#include "io/hdf5/file.h"

namespace chainrule::io::hdf5 {
namespace {

namespace fs = std::filesystem;

/// What is different from the whole file in a damaged one.
struct Change {
  std::uint64_t offset = 0;
  std::string bytes;
};
using Mutant = std::vector<Change>;

/// What came of some mutants; in memory that the process which reads them shares with the one that counts.
struct Tally {
  std::uint64_t at = 0;          ///< the mutant that is being read
  std::uint64_t refused = 0;     ///< an Error when it was opened
  std::uint64_t errors = 0;      ///< an Error later
  std::uint64_t same = 0;        ///< all values are those of the whole file
  std::uint64_t relabelled = 0;  ///< a dataset of another shape or another attribute: nothing guards these here
  std::uint64_t silent = 0;      ///< data that are not what was written: never
  std::uint64_t first_silent = 0;
};

/// One value of each kind, as text: a dataset begins with its shape. Nothing where it cannot be read.
using Content = std::map<std::string, std::optional<std::string>>;

template <class Read>
std::optional<std::string> attempt(const Read& read) {
  try {
    return read();
  } catch (const Error&) {
    return std::nullopt;
  }
}

template <class T>
std::string dataset_text(const File& file, const std::string& name) {
  const Dataset dataset = file.dataset(name);
  const std::vector<T> values = dataset.read_all<T>();
  std::string text;
  for (const std::uint64_t extent : dataset.shape()) text += std::to_string(extent) + ' ';
  return text + '|' + std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::string strings_text(const File& file, const std::string& name) {
  const std::vector<std::string> strings = file.read_strings(name);
  return std::accumulate(strings.begin(), strings.end(), std::to_string(strings.size()) + '|',
                         [](std::string all, const std::string& each) { return std::move(all) + each + '\n'; });
}

/// Throws Error where the file cannot be opened.
Content read_content(const fs::path& path) {
  const File file = File::open(path);
  Content content;
  attempt([&] { return std::to_string(file.names().size()); });
  content["tokens"] = attempt([&] { return dataset_text<std::uint16_t>(file, "tokens"); });
  content["offsets"] = attempt([&] { return dataset_text<std::uint64_t>(file, "offsets"); });
  content["weights"] = attempt([&] { return dataset_text<float>(file, "weights"); });
  content["none"] = attempt([&] { return dataset_text<std::uint64_t>(file, "none"); });
  content["domains"] = attempt([&] { return strings_text(file, "domains"); });
  content["@format"] = attempt([&] { return file.text_attribute("format"); });
  content["@version"] = attempt([&] { return std::to_string(file.number_attribute("version")); });
  return content;
}

/// Like a shard: columns of numbers and strings, some deflated, a chunk index of two levels.
void write_shard_like(const fs::path& path) {
  File file = File::create(path);
  std::vector<std::uint16_t> tokens(210);
  std::iota(tokens.begin(), tokens.end(), std::uint16_t{3});
  file.write_dataset<std::uint16_t>("tokens", tokens, {.chunk_rows = 3});
  std::vector<std::uint64_t> offsets(30);
  std::iota(offsets.begin(), offsets.end(), 1000);
  file.write_dataset<std::uint64_t>("offsets", offsets, {.chunk_rows = 16, .deflate = 4});
  file.write_strings("domains", {"alpha", "b"});
  file.write_dataset<std::uint64_t>("none", {});
  file.set_attribute("format", std::string("shard"));
  file.set_attribute("version", std::uint64_t{1});
  file.close();
}

/// Like a model: matrices of floats in chunks of whole rows.
void write_model_like(const fs::path& path) {
  File file = File::create(path);
  const std::vector<float> values(5 * 6, 1.25F);
  for (const char* name : {"h.0.weight", "weights"}) {
    file.create_dataset(name, ElementType::f32, {5, 6}, {.chunk_rows = 2}).write<float>(0, values);
  }
  file.set_attribute("format", std::string("model"));
  file.set_attribute("version", std::uint64_t{1});
  file.close();
}

/// Whether data of the same shape have values that were not written. A run of zeros has a checksum of zero: a chunk's
/// address that is changed to one where the file has nothing but zeros gives zeros, and only the checksum of the whole
/// file can tell.
bool is_silent(const std::string& before, const std::string& now) {
  if (now.size() != before.size() || now.substr(0, now.find('|')) != before.substr(0, before.find('|'))) return false;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] != before[i] && now[i] != '\0') return true;
  }
  return false;
}

class DamagedFileTest : public ::testing::TestWithParam<void (*)(const fs::path&)> {
 protected:
  static constexpr std::size_t kBatch = 20'000;
  static constexpr unsigned kSeconds = 5;  ///< for one file

  DamagedFileTest() : folder_(fs::path(::testing::TempDir()) / ("hdf5-damage-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
    GetParam()(path());
    std::ifstream stream(path(), std::ios::binary);
    whole_.assign(std::istreambuf_iterator<char>(stream), {});
    content_ = read_content(path());
    tally_ =
        static_cast<Tally*>(::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  }
  ~DamagedFileTest() override {
    ::munmap(tally_, sizeof(Tally));
    fs::remove_all(folder_);
  }

  fs::path path() const { return folder_ / "file.h5"; }

  void write(const Change& change) const {
    ASSERT_EQ(::pwrite(descriptor_, change.bytes.data(), change.bytes.size(), static_cast<off_t>(change.offset)),
              static_cast<ssize_t>(change.bytes.size()));
  }

  void judge() const {
    try {
      bool same = true;
      bool errors = false;
      bool silent = false;
      for (const auto& [name, now] : read_content(path())) {
        const auto& before = content_.at(name);
        if (now == before) continue;
        same = false;
        if (!now) {
          errors = true;
        } else if (before && !name.starts_with('@')) {
          silent |= is_silent(*before, *now);
        }
      }
      if (silent && tally_->silent++ == 0) tally_->first_silent = tally_->at;
      ++(same ? tally_->same : errors ? tally_->errors : tally_->relabelled);
    } catch (const Error&) {
      ++tally_->refused;
    }
  }

  /// Reads mutants [tally_->at, end) one after another. In a process of its own: it may crash.
  void read_batch(const std::function<Mutant(std::uint64_t)>& mutant, std::uint64_t end) {
    for (; tally_->at < end; ++tally_->at) {
      const Mutant changes = mutant(tally_->at);
      for (const Change& change : changes) write(change);
      ::alarm(kSeconds);
      judge();
      ::alarm(0);
      for (const Change& change : changes) write({change.offset, whole_.substr(change.offset, change.bytes.size())});
    }
  }

  /// Reads mutants 0 to count; each crash, hang and foreign exception is a failure that names the mutant.
  void read_mutants(std::uint64_t count, const std::function<Mutant(std::uint64_t)>& mutant) {
    *tally_ = {};
    descriptor_ = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
    std::uint64_t crashes = 0;
    std::uint64_t hangs = 0;
    while (tally_->at < count) {
      const pid_t child = ::fork();
      if (child == 0) {
        read_batch(mutant, std::min(count, tally_->at + kBatch));
        ::_exit(0);
      }
      int status = 0;
      rusage usage{};
      ASSERT_EQ(::wait4(child, &status, 0, &usage), child);
      EXPECT_LT(usage.ru_maxrss, 1'000'000) << "KiB of memory before mutant " << tally_->at;
      if (status == 0) continue;
      const bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
      ++(hung ? hangs : crashes);
      describe(mutant(tally_->at), hung ? "hangs" : "crashes", status);
      for (const Change& change : mutant(tally_->at)) {
        write({change.offset, whole_.substr(change.offset, change.bytes.size())});
      }
      ++tally_->at;
    }
    ::close(descriptor_);
    EXPECT_EQ(crashes, 0U);
    EXPECT_EQ(hangs, 0U);
    EXPECT_EQ(tally_->silent, 0U) << "first mutant " << tally_->first_silent;
    std::cout << count << " files: " << tally_->refused << " refused, " << tally_->errors << " with errors, "
              << tally_->same << " as before, " << tally_->relabelled << " with another label, " << tally_->silent
              << " silently wrong, " << crashes << " crashes, " << hangs << " hangs\n";
  }

  static void describe(const Mutant& mutant, const char* what, int status) {
    static int described = 0;
    if (++described > 20) return;
    std::string where;
    for (const Change& change : mutant) {
      where += " byte " + std::to_string(change.offset) + " =";
      for (const char byte : change.bytes) where += ' ' + std::to_string(static_cast<unsigned char>(byte));
    }
    ADD_FAILURE() << what << " (status " << status << "):" << where;
  }

  fs::path folder_;
  std::string whole_;
  Content content_;
  Tally* tally_ = nullptr;
  int descriptor_ = -1;
};

/// Values that are tried in place of a byte: all that matter, but two where only zeros are around it.
std::vector<unsigned char> other_values(const std::string& whole, std::size_t at) {
  const auto byte = static_cast<unsigned char>(whole[at]);
  constexpr std::size_t around = 8;
  const std::size_t first = std::max(at, around) - around;
  if (whole.find_first_not_of('\0', first) > at + around) return {0x01, 0xFF};
  std::set<unsigned char> values{0x00, 0x01, 0x7F, 0x80, 0xFF};
  for (unsigned bit = 0; bit < 8; ++bit) values.insert(static_cast<unsigned char>(byte ^ 1U << bit));
  values.erase(byte);
  return {values.begin(), values.end()};
}

TEST_P(DamagedFileTest, EveryByteChangedIsReadOrRefused) {
  std::vector<std::pair<std::uint64_t, unsigned char>> all;
  for (std::uint64_t at = 0; at < whole_.size(); ++at) {
    for (const unsigned char value : other_values(whole_, at)) all.emplace_back(at, value);
  }
  read_mutants(all.size(), [&](std::uint64_t i) {
    return Mutant{{all[i].first, std::string(1, static_cast<char>(all[i].second))}};
  });
  EXPECT_GT(tally_->refused, all.size() / 100);
  EXPECT_GT(tally_->same, all.size() / 100);
}

TEST_P(DamagedFileTest, EveryTruncationIsRefused) {
  for (std::size_t length = whole_.size(); length-- > 0;) {
    fs::resize_file(path(), length);
    EXPECT_THROW(File::open(path()), Error) << "length " << length;
  }
}

/// A few bytes that are not 0, or a number of 8 bytes in place of another: addresses and sizes that are real elsewhere.
Mutant random_mutant(const std::string& whole, const std::vector<std::uint64_t>& used, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  const auto place = [&] { return used[below(used.size())] / 4 * 4; };
  Mutant mutant;
  std::set<std::uint64_t> taken;
  for (std::uint64_t changes = 1 + below(4); changes > 0; --changes) {
    const bool number = below(2) == 0;
    const std::uint64_t at = number ? place() : used[below(used.size())];
    const std::uint64_t bytes = number ? 8 : 1;
    if (at + bytes > whole.size() || !taken.insert(at / 16).second || at / 16 != (at + bytes - 1) / 16) continue;
    std::string value = number ? whole.substr(std::min(place(), whole.size() - 8), 8) : std::string(1, '\0');
    if (!number || below(4) == 0) value[0] = static_cast<char>(below(256));
    mutant.push_back({at, value});
  }
  return mutant;
}

TEST_P(DamagedFileTest, RandomMutantsAreReadOrRefused) {
  std::vector<std::uint64_t> used;
  for (std::uint64_t at = 0; at < whole_.size(); ++at) {
    if (whole_[at] != 0) used.push_back(at);
  }
  read_mutants(10'000, [&](std::uint64_t i) { return random_mutant(whole_, used, i); });
  EXPECT_GT(tally_->refused, 1'000U);
}

INSTANTIATE_TEST_SUITE_P(Files, DamagedFileTest, ::testing::Values(write_shard_like, write_model_like),
                         [](const auto& suite) { return suite.index == 0 ? "ShardLike" : "ModelLike"; });

}  // namespace
}  // namespace chainrule::io::hdf5
