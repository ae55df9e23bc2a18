#include "io/hdf5/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>

#include "io/error.h"
#include "io/hdf5/call.h"

namespace chainrule::io::hdf5 {
namespace {

namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
 protected:
  FileTest() : folder_(fs::path(::testing::TempDir()) / ("hdf5-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~FileTest() override { fs::remove_all(folder_); }

  /// Kind of the error that work throws; fails the test where it throws none.
  template <class Work>
  static ErrorKind kind_of(const Work& work, const std::string& named) {
    try {
      work();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(named));
      return error.kind();
    }
    ADD_FAILURE() << "no error thrown";
    return ErrorKind::input_output;
  }

  fs::path folder_;
};

TEST_F(FileTest, MatricesOfFloatsAreWrittenAndReadByRows) {
  const fs::path path = folder_ / "tensors.h5";
  std::vector<float> values(300 * 70);
  std::iota(values.begin(), values.end(), 0.5F);
  {
    File file = File::create(path);
    {
      Dataset dataset = file.create_dataset("h.0.attn.weight", ElementType::f32, {300, 70}, {.chunk_rows = 64});
      dataset.write<float>(100, std::span(values).subspan(100 * 70));
      dataset.write<float>(0, std::span(values).first(100 * 70));
    }
    file.close();
  }
  const File file = File::open(path);
  EXPECT_THAT(file.names(), ::testing::ElementsAre("h.0.attn.weight"));
  const Dataset dataset = file.dataset("h.0.attn.weight");
  EXPECT_THAT(dataset.shape(), ::testing::ElementsAre(300, 70));
  EXPECT_EQ(dataset.read_all<float>(), values);
  std::vector<float> rows(2 * 70);
  dataset.read<float>(150, rows);
  EXPECT_TRUE(std::equal(rows.begin(), rows.end(), values.begin() + 150 * 70));
}

TEST_F(FileTest, BitsOfFloatsSurvive) {
  const std::vector<float> values{-0.0F, std::nanf("7"), INFINITY, 1e-45F, 3.0F};
  const fs::path path = folder_ / "bits.h5";
  File made = File::create(path);
  made.write_dataset<float>("x", values, {.deflate = 4});
  made.close();
  const std::vector<float> back = File::open(path).dataset("x").read_all<float>();
  ASSERT_EQ(back.size(), values.size());
  EXPECT_EQ(std::memcmp(back.data(), values.data(), values.size() * sizeof(float)), 0);
}

TEST_F(FileTest, EmptyDatasetsStringsAndAttributes) {
  const fs::path path = folder_ / "small.h5";
  const std::vector<std::string> words{"a", "", "naïve", "longer text"};
  File made = File::create(path);
  made.write_dataset<std::uint64_t>("none", {});
  made.write_strings("words", words);
  made.write_strings("no words", {});
  made.set_attribute("count", std::uint64_t{1} << 63U);
  made.set_attribute("format", std::string("shard"));
  made.set_attribute("nothing", std::string());
  made.close();
  const File file = File::open(path);
  EXPECT_TRUE(file.dataset("none").read_all<std::uint64_t>().empty());
  EXPECT_EQ(file.read_strings("words"), words);
  EXPECT_TRUE(file.read_strings("no words").empty());
  EXPECT_EQ(file.number_attribute("count"), std::uint64_t{1} << 63U);
  EXPECT_EQ(file.text_attribute("format"), "shard");
  EXPECT_EQ(file.text_attribute("nothing"), "");
  EXPECT_EQ(kind_of([&] { file.number_attribute("format"); }, "attribute 'format'"), ErrorKind::bad_data);
  EXPECT_EQ(kind_of([&] { file.text_attribute("absent"); }, "small.h5"), ErrorKind::bad_data);
}

TEST_F(FileTest, MistakesAreErrorsOfTheRightKind) {
  const fs::path path = folder_ / "kinds.h5";
  File made = File::create(path);
  const std::vector<std::uint16_t> values(100, 7);
  made.write_dataset<std::uint16_t>("x", values);
  made.close();
  EXPECT_EQ(kind_of([&] { File::create(path); }, "kinds.h5"), ErrorKind::cannot_create);
  EXPECT_EQ(kind_of([&] { File::create(folder_ / "no" / "where.h5"); }, "where.h5"), ErrorKind::cannot_create);
  EXPECT_EQ(kind_of([&] { File::open(folder_ / "absent.h5"); }, "absent.h5"), ErrorKind::missing_input);
  std::ofstream(folder_ / "text.h5") << "no HDF5 file";
  EXPECT_EQ(kind_of([&] { File::open(folder_ / "text.h5"); }, "text.h5"), ErrorKind::bad_data);
  fs::copy_file(path, folder_ / "cut.h5");
  fs::resize_file(folder_ / "cut.h5", fs::file_size(path) - 8);
  EXPECT_EQ(kind_of([&] { File::open(folder_ / "cut.h5"); }, "cut.h5"), ErrorKind::bad_data);
  const File file = File::open(path);
  EXPECT_EQ(kind_of([&] { file.dataset("y"); }, "dataset 'y'"), ErrorKind::bad_data);
  EXPECT_EQ(kind_of([&] { file.dataset("x").read_all<float>(); }, "dataset 'x'"), ErrorKind::bad_data);
  std::vector<std::uint16_t> beyond(2);
  EXPECT_EQ(kind_of([&] { file.dataset("x").read<std::uint16_t>(99, beyond); }, "row 99"), ErrorKind::bad_data);
}

TEST_F(FileTest, DamagedDataFailTheirChecksum) {
  const fs::path path = folder_ / "damaged.h5";
  File made = File::create(path);
  const std::vector<std::uint32_t> values(1000, 0x01020304);
  made.write_dataset<std::uint32_t>("x", values);
  made.close();
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  const std::size_t data = content.find(std::string("\x04\x03\x02\x01\x04\x03\x02\x01", 8));
  ASSERT_NE(data, std::string::npos);
  file.seekp(static_cast<std::streamoff>(data + 400));
  file.put('\x05');
  file.close();
  EXPECT_EQ(kind_of([&] { File::open(path).dataset("x").read_all<std::uint32_t>(); }, "dataset 'x'"),
            ErrorKind::bad_data);
}

/// A dataset of one deflated chunk that inflates to other than its bytes, without a checksum.
void write_deflated(const fs::path& path, std::size_t inflated_bytes) {
  constexpr hsize_t extent = 1 << 20;
  std::vector<Bytef> plain(inflated_bytes);
  std::mt19937 random(1);
  for (Bytef& each : plain) each = static_cast<Bytef>(random());
  uLongf bytes = compressBound(static_cast<uLong>(plain.size()));
  std::vector<Bytef> packed(bytes);
  compress(packed.data(), &bytes, plain.data(), static_cast<uLong>(plain.size()));
  const auto held = lock();
  const Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const Handle properties(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_chunk(properties.get(), 1, &extent);
  H5Pset_deflate(properties.get(), 1);
  const Handle space(H5Screate_simple(1, &extent, nullptr));
  const Handle dataset(
      H5Dcreate2(file.get(), "x", H5T_STD_U16LE, space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT));
  const hsize_t offset = 0;
  ASSERT_GE(H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, &offset, bytes, packed.data()), 0);
}

TEST_F(FileTest, ADeflatedChunkOfOtherBytesThanItsOwnIsRefused) {
  const fs::path path = folder_ / "deflated.h5";
  constexpr std::size_t whole = 2 << 20;
  write_deflated(path, whole);
  EXPECT_EQ(File::open(path).dataset("x").read_all<std::uint16_t>().size(), whole / 2);
  for (const std::size_t bytes : {std::size_t{40'000}, whole - 1, whole + 1}) {
    write_deflated(path, bytes);
    const auto reading = [&] { File::open(path).dataset("x").read_all<std::uint16_t>(); };
    EXPECT_EQ(kind_of(reading, "does not inflate"), ErrorKind::bad_data);
  }
}

TEST_F(FileTest, LocksOfOthersDoNotDisturbAndNoneAreHeld) {
  const fs::path path = folder_ / "locked.h5";
  File made = File::create(path);
  made.write_dataset<float>("x", std::vector<float>(10, 1.5F));
  const int other = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(other, 0);
  EXPECT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0) << "a file that is written is locked";
  made.close();
  const File first = File::open(path);
  const File second = File::open(path);
  EXPECT_EQ(first.dataset("x").read_all<float>(), second.dataset("x").read_all<float>());
  EXPECT_EQ(::flock(other, LOCK_UN), 0);
  EXPECT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0) << "a file that is read is locked";
  ::close(other);
}

/// The descriptor of this process that has the file open.
int descriptor_of(const fs::path& path) {
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (fs::read_symlink(entry.path(), error) == path) return std::stoi(entry.path().filename());
  }
  return -1;
}

TEST_F(FileTest, AFailureOfTheSystemIsSaidInOneLine) {
  const fs::path path = folder_ / "sick.h5";
  File made = File::create(path);
  made.write_dataset<float>("x", std::vector<float>(100'000, 1.5F));
  made.close();
  const File file = File::open(path);
  const Dataset dataset = file.dataset("x");
  const int deaf = ::open("/dev/null", O_WRONLY | O_CLOEXEC);  // reading from it fails with EBADF
  ASSERT_GE(::dup2(deaf, descriptor_of(path)), 0);
  ::close(deaf);
  try {
    dataset.read_all<float>();
    ADD_FAILURE() << "no error thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input_output);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("Bad file descriptor"));
    EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\n")));
  }
}

TEST_F(FileTest, TheSameCallsMakeTheSameBytes) {
  std::string first;
  for (const char* name : {"one.h5", "two.h5"}) {
    File file = File::create(folder_ / name);
    file.set_attribute("format", std::string("x"));
    file.write_strings("words", {"alpha", "b"});
    file.write_dataset<float>("x", std::vector<float>(5000, 1.5F), {.deflate = 1});
    file.close();
    std::ifstream stream(folder_ / name, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(stream)), {});
    if (first.empty()) first = content;
    EXPECT_EQ(content, first);
  }
}

}  // namespace
}  // namespace chainrule::io::hdf5
