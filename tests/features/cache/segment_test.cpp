// tests/features/cache/segment_test.cpp: the segment format: round trips, an independent look at the bytes,
// and files that lie.
#include "features/cache/segment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <optional>

#include "data/error.hpp"
#include "features/hdf5/hdf5.hpp"
#include "tests/features/cache/made_up_segment.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using test::golden_array;
using test::made_up_key;
using test::made_up_row;
using test::made_up_segment;
using test::relative_l2_error;
using test::stored_as_float16;
using ::testing::HasSubstr;

void expect_same(const Segment& a, const Segment& b) {
  EXPECT_EQ(a.tap, b.tap);
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.keys, b.keys);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.origin, b.origin);
  EXPECT_EQ(a.storage, b.storage);
}

bool is_sparse(std::span<const std::byte> bytes) {
  const hdf5::File file = hdf5::open_image(bytes);
  return hdf5::is_group(file.id(), "activations");
}

TEST(Segment, AGenerationIsWrittenWhereItIsAboveZeroAndRefusedOutOfBounds) {
  Segment segment = made_up_segment({1, 2});
  const std::vector<std::byte> bytes = encode_segment(segment);
  EXPECT_FALSE(hdf5::has_attribute(hdf5::open_image(bytes).id(), "generation")) << "as it always was";
  EXPECT_EQ(decode_segment_header(bytes).generation, 0);
  segment.generation = 3;
  EXPECT_EQ(decode_segment_header(encode_segment(segment)).generation, 3);
  EXPECT_EQ(decode_segment(encode_segment(segment)).generation, 3);
  segment.generation = kMaxGeneration + 1;
  EXPECT_THROW((void)decode_segment(encode_segment(segment)), Error);
}

TEST(Segment, DecodingGivesBackWhatWasEncoded) {
  EXPECT_TRUE(rc::check([] {
    const auto images = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1000));
    const MapShape shape{*rc::gen::inRange(1, 4), *rc::gen::inRange(1, 4), *rc::gen::inRange(1, 40)};
    Segment segment = made_up_segment(images, shape, *rc::gen::inRange(0, 11) / 10.0);
    segment.tap = *rc::gen::elementOf(vgg16().taps);
    if (*rc::gen::arbitrary<bool>()) segment = stored_as_float16(std::move(segment));
    const std::vector<std::byte> bytes = encode_segment(segment);
    const Segment decoded = decode_segment(bytes);
    RC_ASSERT(decoded.tap == segment.tap && decoded.shape == segment.shape &&
              decoded.origin == segment.origin);
    RC_ASSERT(decoded.keys == segment.keys);
    RC_ASSERT(decoded.rows == segment.rows && decoded.storage == segment.storage);
    const SegmentHeader header = decode_segment_header(bytes);
    RC_ASSERT(header.keys == segment.keys && header.shape == segment.shape &&
              header.origin == segment.origin && header.storage == segment.storage);
    for (std::size_t i = 0; i < images.size(); ++i) {
      RC_ASSERT(static_cast<std::size_t>(header.nonzeros[i]) == segment.rows.row_indices(i).size());
    }
  }));
}

TEST(Segment, TheSmallerOfTheTwoFormsIsWritten) {
  const Segment sparse = made_up_segment({1, 2, 3}, {2, 3, 64}, 0.2);
  const Segment dense = made_up_segment({1, 2, 3}, {2, 3, 64}, 0.8);
  EXPECT_TRUE(is_sparse(encode_segment(sparse)));
  EXPECT_FALSE(is_sparse(encode_segment(dense)));
  expect_same(decode_segment(encode_segment(sparse)), sparse);
  expect_same(decode_segment(encode_segment(dense)), dense);
}

// A value takes half the room and an index as much as before, so the limit moves from 1/2 to 1/3.
TEST(Segment, WhichFormIsSmallerDependsOnTheStorage) {
  const Segment segment = made_up_segment({1, 2, 3}, {2, 3, 64}, 0.42);
  EXPECT_TRUE(is_sparse(encode_segment(segment)));
  EXPECT_FALSE(is_sparse(encode_segment(stored_as_float16(segment))));
  expect_same(decode_segment(encode_segment(stored_as_float16(segment))), stored_as_float16(segment));
}

// HDF5's own conversion from float16 is exact, and so a reader that is not ours.
TEST(Segment, Float16ValuesAreWhatHdf5ReadsInBothForms) {
  for (const double share : {0.1, 1.0}) {
    const Segment segment = stored_as_float16(made_up_segment({5, 6}, {2, 3, 64}, share));
    const std::vector<std::byte> bytes = encode_segment(segment);
    const hdf5::File file = hdf5::open_image(bytes);
    const std::string values = is_sparse(bytes) ? "activations/data" : "activations";
    const hdf5::Dataset dataset{H5Dopen2(file.id(), values.c_str(), H5P_DEFAULT)};
    const hdf5::Type type{H5Dget_type(dataset.id())};
    EXPECT_EQ(H5Tget_class(type.id()), H5T_FLOAT);
    EXPECT_EQ(H5Tget_size(type.id()), 2U);
    EXPECT_EQ(H5Tget_ebias(type.id()), 15U);
    EXPECT_EQ(hdf5::read<float>(file.id(), values, 10000), segment.rows.values) << share;
    EXPECT_EQ(hdf5::read_numbers<std::int32_t>(file.id(), "format_version"), std::vector<std::int32_t>{2});
  }
}

// What the storage costs on real activations; they were measured at 2.0e-4.
TEST(Segment, Float16KeepsTheGoldenFeaturesTo1e3) {
  const std::vector<float> features = golden_array("features.h5", "/block5_pool").floats();
  Segment segment = made_up_segment({}, tap_shape(vgg16(), Tap{"block5_pool"}, 224));
  const std::size_t size = segment.shape.size();
  for (std::size_t row = 0; row * size < features.size(); ++row) {
    segment.keys.push_back(made_up_key(static_cast<int>(row)));
    segment.rows.append_dense(std::span(features).subspan(row * size, size));
  }
  ASSERT_EQ(segment.rows.rows(), 6U);
  const Segment stored = decode_segment(encode_segment(stored_as_float16(segment)));
  std::vector<float> row(size);
  for (std::size_t i = 0; i < 6; ++i) {
    stored.rows.expand(i, row);
    const float* const original = features.data() + i * size;
    const double error = relative_l2_error(row, {original, original + size});
    EXPECT_LT(error, 1e-3) << i;
    EXPECT_GT(error, 1e-5) << "it was not rounded";
  }
}

// A round trip would hide swapped axes: the dense form is looked at with HDF5 alone.
TEST(Segment, DenseActivationsAreStoredAsRowColumnChannel) {
  Segment segment = made_up_segment({5, 6}, {2, 3, 4}, 1.0);
  const std::vector<std::byte> bytes = encode_segment(segment);
  const hdf5::File file = hdf5::open_image(bytes);
  ASSERT_EQ(hdf5::extents(file.id(), "activations"), (hdf5::Extents{2, 2, 3, 4}));
  const std::vector<float> stored = hdf5::read<float>(file.id(), "activations", 48);
  const std::vector<float> row = made_up_row(6, 24, 1.0);
  EXPECT_EQ(stored[24 + (1 * 3 + 2) * 4 + 3], row[(1 * 3 + 2) * 4 + 3]);
  EXPECT_EQ(std::vector<float>(stored.begin() + 24, stored.end()), row);
}

TEST(Segment, SparseActivationsFollowAnnDatasConvention) {
  const Segment segment = made_up_segment({7, 8, 9});
  const std::vector<std::byte> bytes = encode_segment(segment);
  const hdf5::File file = hdf5::open_image(bytes);
  const hdf5::Group group = hdf5::open_group(file.id(), "activations");
  for (const char* const name : {"encoding-type", "encoding-version"}) {
    const hdf5::Attribute attribute{H5Aopen(group.id(), name, H5P_DEFAULT)};
    const hdf5::Type type{H5Aget_type(attribute.id())};
    const hdf5::Space space{H5Aget_space(attribute.id())};
    EXPECT_GT(H5Tis_variable_str(type.id()), 0) << name;
    EXPECT_EQ(H5Tget_cset(type.id()), H5T_CSET_UTF8) << name;
    EXPECT_EQ(H5Sget_simple_extent_type(space.id()), H5S_SCALAR) << name;
  }
  EXPECT_EQ(hdf5::read_string(group.id(), "encoding-type"), "csr_matrix");
  EXPECT_EQ(hdf5::read_string(group.id(), "encoding-version"), "0.1.0");
  EXPECT_EQ(hdf5::read_numbers<std::int64_t>(group.id(), "shape"), (std::vector<std::int64_t>{3, 512}));
  const std::array<std::pair<const char*, hid_t>, 3> types{
      {{"data", H5T_IEEE_F32LE}, {"indices", H5T_STD_I32LE}, {"indptr", H5T_STD_I64LE}}};
  for (const auto& [name, needed] : types) {
    const hdf5::Dataset dataset{H5Dopen2(group.id(), name, H5P_DEFAULT)};
    const hdf5::Type type{H5Dget_type(dataset.id())};
    EXPECT_GT(H5Tequal(type.id(), needed), 0) << name;
  }
  EXPECT_EQ(hdf5::read<std::int32_t>(group.id(), "indices", 10000), segment.rows.indices);
}

TEST(Segment, TheSameSegmentGivesTheSameBytes) {
  const std::vector<std::byte> first = encode_segment(made_up_segment({1, 2, 3, 4}));
  std::vector<std::vector<std::byte>> dirt;  // memory that a careless writer would take over as it is
  for (std::size_t i = 1; i < 300; ++i) dirt.emplace_back(i * 61, std::byte{0xCD});
  dirt.clear();
  EXPECT_EQ(encode_segment(made_up_segment({1, 2, 3, 4})), first);
  EXPECT_NE(encode_segment(made_up_segment({1, 2, 4, 3})), first);
  EXPECT_NE(encode_segment(made_up_segment({1, 2, 3, 4}, {1, 1, 512}, 0.1, "other host")), first);
}

TEST(Segment, NoRowsAndRowsOfZerosAreSegmentsToo) {
  expect_same(decode_segment(encode_segment(made_up_segment({}))), made_up_segment({}));
  const Segment zeros = made_up_segment({1, 2}, {1, 1, 512}, 0.0);
  ASSERT_TRUE(zeros.rows.values.empty());
  expect_same(decode_segment(encode_segment(zeros)), zeros);
}

TEST(Segment, FileNamesAreDigests) {
  EXPECT_EQ(segment_file_name(sha256("x")), "segment-" + sha256("x").hex() + ".h5");
}

/// What a hand-made segment says; each test tells one lie.
struct Claims {
  std::string format = "headstart segment";
  std::int32_t version = 1;
  std::string tap = "block5_pool";
  std::vector<std::int64_t> shape{1, 2, 4};
  hdf5::Extents key_extents{2, 32};
  std::vector<std::int32_t> nonzeros{2, 1};
  std::vector<std::int64_t> matrix_shape{2, 8};
  std::vector<float> data{1.0F, 2.0F, 3.0F};
  std::vector<std::int32_t> indices{0, 7, 3};
  std::vector<std::int64_t> indptr{0, 2, 3};
  std::optional<std::pair<hdf5::Extents, std::vector<float>>> dense;  ///< instead of the sparse form
  bool halves = false;                                                ///< values are written as float16
};

void write_values(hid_t parent, const std::string& name, const hdf5::Extents& extents,
                  const std::vector<float>& values, bool halves) {
  if (!halves) return hdf5::write<float>(parent, name, extents, values);
  std::vector<Float16> stored;
  for (const float value : values) stored.push_back(to_float16(value));
  hdf5::write<Float16>(parent, name, extents, stored);
}

std::vector<std::byte> image_of(const Claims& claims) {
  const hdf5::File file = hdf5::create_in_memory();
  hdf5::write_variable_string(file.id(), "format", claims.format);
  hdf5::write_numbers<std::int32_t>(file.id(), "format_version", {}, std::array{claims.version});
  hdf5::write_variable_string(file.id(), "tap", claims.tap);
  hdf5::write_numbers<std::int64_t>(file.id(), "shape", {claims.shape.size()}, claims.shape);
  for (const char* const name : {"engine", "engine_version", "headstart_version", "host"}) {
    hdf5::write_variable_string(file.id(), name, "x");
  }
  const std::vector<std::uint8_t> keys(claims.key_extents[0] * claims.key_extents[1], 5);
  hdf5::write<std::uint8_t>(file.id(), "sha256", claims.key_extents, keys);
  hdf5::write<std::int32_t>(file.id(), "nonzeros", {claims.nonzeros.size()}, claims.nonzeros);
  if (claims.dense) {
    write_values(file.id(), "activations", claims.dense->first, claims.dense->second, claims.halves);
    return hdf5::file_image(file);
  }
  const hdf5::Group group = hdf5::create_group(file.id(), "activations");
  hdf5::write_numbers<std::int64_t>(group.id(), "shape", {claims.matrix_shape.size()}, claims.matrix_shape);
  write_values(group.id(), "data", {claims.data.size()}, claims.data, claims.halves);
  hdf5::write<std::int32_t>(group.id(), "indices", {claims.indices.size()}, claims.indices);
  hdf5::write<std::int64_t>(group.id(), "indptr", {claims.indptr.size()}, claims.indptr);
  return hdf5::file_image(file);
}

TEST(Segment, AHandMadeSegmentIsRead) {
  const Segment segment = decode_segment(image_of({}));
  EXPECT_EQ(segment.shape, (MapShape{1, 2, 4}));
  EXPECT_EQ(segment.rows.rows(), 2U);
  EXPECT_EQ(segment.rows.row_indices(0)[1], 7);
  EXPECT_EQ(segment.storage, FeatureType::kFloat32);
  Claims of_halves;
  of_halves.version = 2;
  of_halves.halves = true;
  const Segment halves = decode_segment(image_of(of_halves));
  EXPECT_EQ(halves.rows, segment.rows);
  EXPECT_EQ(halves.storage, FeatureType::kFloat16);
}

TEST(Segment, EveryLieIsFound) {
  struct Lie {
    const char* message;
    std::function<void(Claims&)> tell;
  };
  const float infinite = HUGE_VALF;
  const auto dense = [](const hdf5::Extents& extents, const std::vector<float>& values) {
    return [=](Claims& c) { c.dense.emplace(extents, values); };
  };
  const std::vector<Lie> lies{
      {"format is 'loom'", [](Claims& c) { c.format = "loom"; }},
      {"version is 3", [](Claims& c) { c.version = 3; }},
      {"values are not float16, and its format version is 2", [](Claims& c) { c.version = 2; }},
      {"values are float16, and its format version is 1", [](Claims& c) { c.halves = true; }},
      {"values are not float16",
       [=](Claims& c) {
         c.version = 2;
         c.dense.emplace(hdf5::Extents{2, 1, 2, 4}, std::vector<float>(16));
       }},
      {"infinite",
       [=](Claims& c) {
         c.version = 2;
         c.halves = true;
         c.data[1] = 65520.0F;
       }},
      {"tap is 'block6_pool'", [](Claims& c) { c.tap = "block6_pool"; }},
      {"shape is 1x8",
       [](Claims& c) {
         c.shape = {1, 8};
       }},
      {"shape is 0x2x4",
       [](Claims& c) {
         c.shape = {0, 2, 4};
       }},
      {"shape is 1x-2x-4",
       [](Claims& c) {
         c.shape = {1, -2, -4};
       }},
      {"shape is 4294967296x",
       [](Claims& c) {
         c.shape = {std::int64_t{1} << 32, 1, 1};
       }},
      {"sha256 is 2x31",
       [](Claims& c) {
         c.key_extents = {2, 31};
       }},
      {"nonzeros does not fit",
       [](Claims& c) {
         c.key_extents = {3, 32};
       }},
      {"nonzeros does not fit",
       [](Claims& c) {
         c.nonzeros = {4, -1};
       }},
      {"nonzeros does not fit",
       [](Claims& c) {
         c.nonzeros = {9, 0};
       }},
      {"nonzeros does not fit", [](Claims& c) { c.nonzeros = {3}; }},
      {"indptr does not fit",
       [](Claims& c) {
         c.nonzeros = {1, 2};
       }},
      {"indptr does not fit",
       [](Claims& c) {
         c.indptr = {0, 3};
       }},
      {"indptr does not fit",
       [](Claims& c) {
         c.indptr = {0, 4, 3};
       }},
      {"indptr does not fit",
       [](Claims& c) {
         c.indptr = {1, 2, 3};
       }},
      {"indptr does not fit", [](Claims& c) { c.indptr = {}; }},
      {"activations are 2x9",
       [](Claims& c) {
         c.matrix_shape = {2, 9};
       }},
      {"activations are 3x8",
       [](Claims& c) {
         c.matrix_shape = {3, 8};
       }},
      {"3 indices and 2 values", [](Claims& c) { c.data.pop_back(); }},
      {"2 indices and 3 values", [](Claims& c) { c.indices.pop_back(); }},
      {"row 0: its indices",
       [](Claims& c) {
         c.indices = {7, 0, 3};
       }},
      {"row 0: its indices",
       [](Claims& c) {
         c.indices = {7, 7, 3};
       }},
      {"row 0: its indices",
       [](Claims& c) {
         c.indices = {-1, 7, 3};
       }},
      {"row 1: its indices",
       [](Claims& c) {
         c.indices = {0, 7, 8};
       }},
      {"infinite", [=](Claims& c) { c.data[1] = infinite; }},
      {"infinite", [](Claims& c) { c.data[2] = std::nanf(""); }},
      {"activations are 2x1x4x2", dense({2, 1, 4, 2}, std::vector<float>(16))},
      {"activations are 16", dense({16}, std::vector<float>(16))},
      {"do not fit nonzeros", dense({2, 1, 2, 4}, std::vector<float>(16))},
      {"infinite", dense({2, 1, 2, 4}, std::vector<float>(16, infinite))},
  };
  for (const Lie& lie : lies) {
    Claims claims;
    lie.tell(claims);
    const std::vector<std::byte> bytes = image_of(claims);
    try {
      (void)decode_segment(bytes);
      ADD_FAILURE() << "not found: " << lie.message;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::kFailed);
      EXPECT_THAT(error.what(), HasSubstr(lie.message));
    }
  }
}

TEST(Segment, BytesThatAreNoSegmentAreAnError) {
  EXPECT_THROW((void)decode_segment({}), Error);
  EXPECT_THROW((void)decode_segment(std::vector<std::byte>(100)), Error);
  const hdf5::File empty = hdf5::create_in_memory();
  EXPECT_THROW((void)decode_segment(hdf5::file_image(empty)), Error);
  EXPECT_THROW((void)decode_segment_header(hdf5::file_image(empty)), Error);
}

}  // namespace
}  // namespace headstart
