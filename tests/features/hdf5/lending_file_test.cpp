// tests/features/hdf5/lending_file_test.cpp: where HDF5 lays things out is HDF5's affair, and differs between
// its versions; what becomes of a lending file has to be read by the one that is installed as if it had
// written it.
#include "features/hdf5/lending_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "data/error.hpp"
#include "features/hdf5/hdf5.hpp"
#include "memory/enum_names.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

std::vector<std::byte> joined(const std::vector<std::span<const std::byte>>& parts) {
  std::vector<std::byte> bytes;
  for (const auto part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

/// What HDF5 finds in a file, by path: every group, every dataset's and attribute's shape and bytes.
using Contents = std::map<std::string, std::string>;

std::string shape_and(const hdf5::Space& space, std::string bytes) {
  std::vector<hsize_t> extents(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space.id())));
  H5Sget_simple_extent_dims(space.id(), extents.data(), nullptr);
  for (const hsize_t extent : extents) bytes += fmt::format(" {}", extent);
  return bytes;
}

herr_t add_attribute(hid_t object, const char* name, const H5A_info_t*, void* contents) {
  const hdf5::Attribute attribute{H5Aopen(object, name, H5P_DEFAULT)};
  const hdf5::Type type{H5Aget_type(attribute.id())};
  const hdf5::Space space{H5Aget_space(attribute.id())};
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.id()));
  std::string bytes(count * H5Tget_size(type.id()), '?');
  EXPECT_GE(H5Aread(attribute.id(), type.id(), bytes.data()), 0) << name;
  std::string path(static_cast<std::size_t>(H5Iget_name(object, nullptr, 0)) + 1, ' ');
  H5Iget_name(object, path.data(), path.size());
  path.back() = '@';
  static_cast<Contents*>(contents)->emplace(path + name, shape_and(space, bytes));
  return 0;
}

void add_object(hid_t file, const std::string& name, Contents& contents) {
  const hdf5::Handle<H5Oclose> object{H5Oopen(file, name.c_str(), H5P_DEFAULT)};
  EXPECT_GE(H5Aiterate2(object.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add_attribute, &contents), 0);
  std::string found = "group";
  if (H5Iget_type(object.id()) == H5I_DATASET) {
    const hdf5::Space space{H5Dget_space(object.id())};
    const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.id()));
    std::string bytes(count * sizeof(float), '?');
    EXPECT_GE(H5Dread(object.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), 0) << name;
    found = shape_and(space, bytes);
  }
  contents.emplace(name, found);
}

herr_t add_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

/// By HDF5's own calls alone.
Contents contents_of(hid_t file) {
  std::vector<std::string> names{"/"};
  EXPECT_GE(H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, add_name, &names), 0);
  Contents contents;
  for (const std::string& name : names) add_object(file, name, contents);
  return contents;
}

/// A tree that `seed` grows: groups in groups, attributes, datasets on both sides of every size that matters.
/// @param write  gets each dataset: its group, name, extents, values
template <typename Write>
void grow(hid_t root, unsigned seed, const std::vector<float>& values, const Write& write) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  std::vector<hdf5::Group> groups;
  for (std::size_t i = 0, objects = 1 + below(40); i < objects; ++i) {
    const hid_t parent = groups.empty() || below(3) == 0 ? root : groups[below(groups.size())].id();
    const std::string name = fmt::format("{} {}", i, std::string(below(200), 'n'));
    switch (below(4)) {
      case 0:
        groups.push_back(hdf5::create_group(parent, name));
        break;
      case 1:
        hdf5::write_string(parent, name.substr(0, 100), std::string(below(60'000), 'a'));
        break;
      default: {
        const std::size_t size = below(2) == 0 ? below(40'000) : 16'384 - 2 + below(5);
        write(parent, name, hdf5::Extents{1, size}, std::span(values).subspan(below(1000), size));
      }
    }
  }
}

TEST(LendingFile, IsReadAsTheFileThatHdf5ItselfWrites) {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  RecordProperty("hdf5", fmt::format("{}.{}.{}", major, minor, release));
  std::vector<float> values(60'000);
  std::iota(values.begin(), values.end(), 0.5F);
  const test::ScratchFolder scratch;
  const fs::path path = scratch / "lent.h5";
  for (unsigned seed = 0; seed < 40; ++seed) {
    hdf5::LendingFile lending;
    grow(lending.id(), seed, values,
         [&](hid_t parent, const auto&... rest) { lending.write(parent, rest...); });
    const std::vector<std::byte> image = joined(lending.close());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));

    const hdf5::File plain = hdf5::create_in_memory();
    grow(plain.id(), seed, values,
         [&](hid_t parent, const std::string& name, const hdf5::Extents& extents, std::span<const float> of) {
           hdf5::write<float>(parent, name, extents, of);
         });
    const hdf5::File file{H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)};
    ASSERT_GE(file.id(), 0) << seed;
    EXPECT_TRUE(contents_of(file.id()) == contents_of(plain.id())) << seed;
    hsize_t size = 0;
    H5Fget_filesize(file.id(), &size);
    EXPECT_EQ(size, image.size()) << seed;
  }
}

// Sizes from nothing to more than HDF5's own blocks, in an order of their own, and a good deal beside them.
TEST(LendingFile, HasWhatIsLentToIt) {
  const std::vector<std::size_t> sizes{1, 300'000, 0, 16'383, 16'384, 70'001, 2, 1'000'000, 65'536};
  std::vector<std::vector<float>> values;
  for (const std::size_t size : sizes) {
    values.emplace_back(size);
    std::iota(values.back().begin(), values.back().end(), static_cast<float>(size) / 7.0F);
  }
  for (const std::size_t text : {std::size_t{10}, std::size_t{60'000}}) {  // times 9: over HDF5's first block
    const auto made = [&] {
      hdf5::LendingFile file;
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        const hdf5::Group group = hdf5::create_group(file.id(), fmt::format("layer {}", i));
        hdf5::write_string(group.id(), "text", std::string(text, static_cast<char>('a' + i)));
        file.write(group.id(), "values", {sizes[i], 1}, values[i]);
      }
      return joined(file.close());
    };
    const std::vector<std::byte> image = made();
    EXPECT_TRUE(image == made()) << "equal contents give equal bytes";
    EXPECT_THROW((void)hdf5::open_image(std::span(image).first(image.size() - 1)), Error)
        << "it ends where it says";
    const hdf5::File file = hdf5::open_image(image);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const hdf5::Group group = hdf5::open_group(file.id(), fmt::format("layer {}", i));
      EXPECT_EQ(hdf5::read_string(group.id(), "text").size(), text);
      EXPECT_EQ(hdf5::extents(group.id(), "values"), (hdf5::Extents{sizes[i], 1}));
      EXPECT_TRUE(hdf5::read<float>(group.id(), "values", sizes[i]) == values[i]) << sizes[i];
    }
  }
}

TEST(LendingFile, TakesNothingInAnotherShapeOrTwice) {
  const std::vector<float> values(100'000);
  hdf5::LendingFile file;
  EXPECT_THROW(file.write(file.id(), "values", {99'999}, values), Error);
  file.write(file.id(), "values", {100'000}, values);
  file.write(file.id(), "values", {100'000}, values);
  EXPECT_THROW(static_cast<void>(file.close()), Error);
}

TEST(LendingFile, UnusedIsAFile) {
  hdf5::LendingFile unclosed;
  hdf5::LendingFile file;
  const std::vector<std::byte> image = joined(file.close());
  EXPECT_FALSE(hdf5::exists(hdf5::open_image(image).id(), "values"));
}

TEST(LendingFile, LeavesRoomForValuesThatComeLater) {
  const std::vector<float> values{1.5F, -2.0F, 3.0F, 4.0F, 5.0F, 6.0F};
  for (const FeatureType type : named_values<FeatureType>()) {
    hdf5::LendingFile file;
    hdf5::write_string_dataset(file.id(), "names", {"a", "b", "c"});
    const auto [before, after] = file.close_around("values", {3, 2}, type);
    std::vector<Float16> halves(values.size());
    std::transform(values.begin(), values.end(), halves.begin(), to_float16);
    const auto bytes =
        type == FeatureType::kFloat16 ? std::as_bytes(std::span(halves)) : std::as_bytes(std::span(values));
    const std::vector<std::byte> image = joined({before, bytes, after});
    const hdf5::File read = hdf5::open_image(image);
    EXPECT_EQ(hdf5::read<float>(read.id(), "values", 6), values);
    EXPECT_EQ(hdf5::is_float16(read.id(), "values"), type == FeatureType::kFloat16);
    EXPECT_EQ(hdf5::read_string_dataset(read.id(), "names", 3).back(), "c");
  }
}

// More than any memory: nothing of HDF5's may come to lie behind it.
TEST(LendingFile, LeavesRoomThatIsNowhere) {
  for (std::size_t names = 1; names < 200'000; names = names * 3 + 1) {
    hdf5::LendingFile file;
    hdf5::write_string_dataset(file.id(), "names", std::vector<std::string>(names, "some/path/of/an image"));
    hdf5::write_variable_string(file.id(), "text", std::string(names % 50'000, 'x'));
    const auto [before, after] =
        file.close_around("values", {std::uint64_t{1} << 30U, 25'088}, FeatureType::kFloat32);
    EXPECT_LT(before.size(), 1'000'000 + 100 * names);
    EXPECT_TRUE(after.empty());
  }
}

}  // namespace
}  // namespace headstart
