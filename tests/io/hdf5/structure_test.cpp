// What other programs write is read where it has our forms, and refused with a byte where it has others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <numeric>

#include "io/error.h"
#include "io/hdf5/call.h"
#include "io/hdf5/file.h"

namespace chainrule::io::hdf5 {
namespace {

namespace fs = std::filesystem;

constexpr hsize_t kShape[] = {50, 7};
constexpr hsize_t kChunk[] = {3, 4};

class StructureTest : public ::testing::Test {
 protected:
  StructureTest() : path_(fs::path(::testing::TempDir()) / ("structure-" + std::to_string(::getpid()) + ".h5")) {}
  ~StructureTest() override { fs::remove(path_); }

  /// A file that fill(file) is called on.
  void write(const std::function<void(hid_t)>& fill, H5F_libver_t oldest = H5F_LIBVER_EARLIEST) const {
    const auto held = lock();
    const Handle access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_libver_bounds(access.get(), oldest, H5F_LIBVER_LATEST);
    const Handle file(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
    ASSERT_GE(file.get(), 0);
    fill(file.get());
  }

  void expect_refused(const std::string& said) const {
    try {
      File::open(path_);
      ADD_FAILURE() << "opened: " << said;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_data);
      EXPECT_THAT(error.what(), ::testing::AllOf(::testing::HasSubstr(said), ::testing::HasSubstr(", at byte "),
                                                 ::testing::HasSubstr(path_.string())));
    }
  }

  fs::path path_;
};

std::vector<float> values() {
  std::vector<float> values(kShape[0] * kShape[1]);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

/// As the library makes it when it is told no more than chunks, and what describe(properties) adds; rows are written.
void write_dataset(hid_t file, const char* name, const std::function<void(hid_t)>& describe, hsize_t rows = kShape[0]) {
  const Handle properties(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_chunk(properties.get(), 2, kChunk);
  describe(properties.get());
  const Handle space(H5Screate_simple(2, kShape, nullptr));
  const Handle dataset(H5Dcreate2(file, name, H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT));
  const hsize_t start[] = {0, 0};
  const hsize_t count[] = {rows, kShape[1]};
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr);
  const Handle memory(H5Screate_simple(2, count, nullptr));
  ASSERT_GE(H5Dwrite(dataset.get(), H5T_IEEE_F32LE, memory.get(), space.get(), H5P_DEFAULT, values().data()), 0);
}

TEST_F(StructureTest, WhatTheLibraryWritesByDefaultIsRead) {
  write([](hid_t file) {
    write_dataset(file, "plain", [](hid_t) {});
    write_dataset(file, "filled", [](hid_t properties) {
      const float fill = 3;
      H5Pset_fill_value(properties, H5T_NATIVE_FLOAT, &fill);
      H5Pset_shuffle(properties);
      H5Pset_deflate(properties, 9);
      H5Pset_fletcher32(properties);
    });
    for (int i = 0; i < 100; ++i) write_dataset(file, ("w." + std::to_string(i)).c_str(), [](hid_t) {});
  });
  const File file = File::open(path_);
  EXPECT_EQ(file.names().size(), 102U);
  for (const char* name : {"plain", "filled", "w.0", "w.99"}) EXPECT_EQ(file.dataset(name).read_all<float>(), values());
}

TEST_F(StructureTest, OtherFormsAreRefused) {
  write([](hid_t file) { write_dataset(file, "x", [](hid_t) {}); }, H5F_LIBVER_LATEST);
  expect_refused("superblock of another version");
  write([](hid_t file) {
    write_dataset(file, "x", [](hid_t properties) { H5Pset_layout(properties, H5D_CONTIGUOUS); });
  });
  expect_refused("not stored in chunks");
  write([](hid_t file) { write_dataset(file, "x", [](hid_t properties) { H5Pset_nbit(properties); }); });
  expect_refused("HDF5 filter 5");
  write([](hid_t file) {
    write_dataset(
        file, "x", [](hid_t) {}, 10);
  });
  expect_refused("lacks entries");
  write([](hid_t file) { H5Lcreate_soft("/elsewhere", file, "x", H5P_DEFAULT, H5P_DEFAULT); });
  expect_refused("something else than a dataset");
  write([](hid_t file) { const Handle group(H5Gcreate2(file, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); });
  expect_refused("something else than a dataset");
  write([](hid_t file) {
    write_dataset(file, "x", [](hid_t) {});
    H5Lcreate_hard(file, "x", file, "y", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_refused("other than one reference");
  write([](hid_t file) {
    const Handle type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.get(), H5T_VARIABLE);
    const Handle space(H5Screate(H5S_SCALAR));
    const Handle attribute(H5Acreate2(file, "format", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT));
  });
  expect_refused("no string of fixed length");
}

}  // namespace
}  // namespace chainrule::io::hdf5
