// tests/features/hdf5/hdf5_test.cpp: the HDF5 layer against files made with HDF5's own C API, hostile ones
// among them.
#include "features/hdf5/hdf5.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <numeric>
#include <optional>
#include <type_traits>

#include "data/error.hpp"
#include "tests/features/hdf5/hdf5_on_disk.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::ScratchFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

static_assert(std::is_nothrow_move_constructible_v<hdf5::File> &&
              std::is_nothrow_move_assignable_v<hdf5::File>);
static_assert(!std::is_copy_constructible_v<hdf5::File>);

/// The message of the Error that `action` throws; fails the test if it throws none.
template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

/// A file of `values` made by the plain C API, for the layer to read.
class ForeignFile {
 public:
  explicit ForeignFile(const std::filesystem::path& path)
      : path_(path), id_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~ForeignFile() { close(); }
  ForeignFile(const ForeignFile&) = delete;
  ForeignFile& operator=(const ForeignFile&) = delete;

  [[nodiscard]] hid_t id() const { return id_; }
  void dataset(const char* name, const std::vector<hsize_t>& dims, hid_t type,
               hid_t properties = H5P_DEFAULT) const {
    const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    const hid_t set = H5Dcreate2(id_, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    EXPECT_GE(set, 0);
    H5Dclose(set);
    H5Sclose(space);
  }
  void attribute(const char* name, hid_t type, hid_t space, const void* values) const {
    const hid_t attribute = H5Acreate2(id_, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    EXPECT_GE(attribute, 0);
    EXPECT_GE(H5Awrite(attribute, type, values), 0);
    H5Aclose(attribute);
  }
  hdf5::File reopen() {
    close();
    return hdf5::open_file(path_);
  }

 private:
  void close() {
    if (id_ >= 0) H5Fclose(id_);
    id_ = -1;
  }
  std::filesystem::path path_;
  hid_t id_;
};

hid_t string_type(std::size_t size, H5T_cset_t characters, H5T_str_t padding) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  H5Tset_cset(type, characters);
  if (size != H5T_VARIABLE) H5Tset_strpad(type, padding);
  return type;
}

TEST(Hdf5, WhatIsWrittenToDiskIsReadBack) {
  const ScratchFolder scratch;
  std::vector<float> values(24);
  std::iota(values.begin(), values.end(), -5.0F);
  const std::vector<std::int64_t> numbers{std::int64_t{1} << 40, -7};
  {
    const hdf5::File file = test::made_on_disk(scratch / "a.h5");
    const hdf5::Group group = hdf5::create_group(file.id(), "group");
    hdf5::write<float>(group.id(), "plain", {2, 3, 4}, values);
    hdf5::write<float>(group.id(), "packed", {2, 3, 4}, values, true);
    hdf5::write<std::uint8_t>(group.id(), "none", {0, 32}, {});
    hdf5::write_string(group.id(), "fixed", "grüße");
    hdf5::write_string(group.id(), "nothing", "");
    hdf5::write_variable_string(group.id(), "variable", "csr_matrix");
    hdf5::write_strings(group.id(), "names", {"a", "longer", ""});
    hdf5::write_strings(group.id(), "no_names", {});
    hdf5::write_numbers<std::int64_t>(group.id(), "numbers", {2}, numbers);
  }
  const hdf5::File file = hdf5::open_file(scratch / "a.h5");
  const hdf5::Group group = hdf5::open_group(file.id(), "group");
  EXPECT_EQ(hdf5::extents(file.id(), "group/plain"), (hdf5::Extents{2, 3, 4}));
  EXPECT_EQ(hdf5::read<float>(file.id(), "group/plain", 24), values);
  EXPECT_EQ(hdf5::read<float>(file.id(), "group/packed", 24), values);
  EXPECT_EQ(hdf5::read<double>(group.id(), "plain", 24), std::vector<double>(values.begin(), values.end()));
  EXPECT_EQ(hdf5::extents(group.id(), "none"), (hdf5::Extents{0, 32}));
  EXPECT_TRUE(hdf5::read<std::uint8_t>(group.id(), "none", 0).empty());
  EXPECT_EQ(hdf5::read_string(group.id(), "fixed"), "grüße");
  EXPECT_EQ(hdf5::read_string(group.id(), "nothing"), "");
  EXPECT_EQ(hdf5::read_string(group.id(), "variable"), "csr_matrix");
  EXPECT_EQ(hdf5::read_strings(group.id(), "names"), (std::vector<std::string>{"a", "longer", ""}));
  EXPECT_TRUE(hdf5::read_strings(group.id(), "no_names").empty());
  EXPECT_EQ(hdf5::read_numbers<std::int64_t>(group.id(), "numbers"), numbers);
  EXPECT_TRUE(hdf5::exists(file.id(), "group/plain"));
  EXPECT_FALSE(hdf5::exists(file.id(), "group/other"));
  EXPECT_FALSE(hdf5::exists(file.id(), "other/plain"));
  EXPECT_TRUE(hdf5::is_group(file.id(), "group"));
  EXPECT_FALSE(hdf5::is_group(file.id(), "group/plain"));
  EXPECT_TRUE(hdf5::has_attribute(group.id(), "fixed"));
  EXPECT_FALSE(hdf5::has_attribute(group.id(), "other"));
}

TEST(Hdf5, StringsOfEveryKindThatKerasWritesAreRead) {
  const ScratchFolder scratch;
  ForeignFile foreign(scratch / "strings.h5");
  const hid_t scalar = H5Screate(H5S_SCALAR);
  const hsize_t two = 2;
  const hid_t pair = H5Screate_simple(1, &two, nullptr);
  for (const H5T_cset_t characters : {H5T_CSET_ASCII, H5T_CSET_UTF8}) {
    const std::string suffix = characters == H5T_CSET_UTF8 ? "_utf8" : "_ascii";
    const hid_t padded = string_type(8, characters, H5T_STR_NULLPAD);
    const hid_t terminated = string_type(8, characters, H5T_STR_NULLTERM);
    const hid_t spaced = string_type(8, characters, H5T_STR_SPACEPAD);
    const hid_t variable = string_type(H5T_VARIABLE, characters, H5T_STR_NULLTERM);
    const std::array<const char*, 2> texts{"first", "second"};
    foreign.attribute(("padded" + suffix).c_str(), padded, pair, "eightchrnine\0\0\0\0");
    foreign.attribute(("terminated" + suffix).c_str(), terminated, scalar, "abc\0zzzz");
    foreign.attribute(("spaced" + suffix).c_str(), spaced, scalar, "a b     ");
    foreign.attribute(("variable" + suffix).c_str(), variable, scalar, texts.data());
    foreign.attribute(("variables" + suffix).c_str(), variable, pair, texts.data());
    for (const hid_t type : {padded, terminated, spaced, variable}) H5Tclose(type);
  }
  const hsize_t none = 0;
  const hid_t empty = H5Screate_simple(1, &none, nullptr);
  foreign.attribute("empty_of_floats", H5T_NATIVE_DOUBLE, empty,
                    &none);  // Keras's spelling of no weight_names
  foreign.attribute("number", H5T_NATIVE_DOUBLE, scalar, std::array<double, 1>{1.0}.data());
  for (const hid_t space : {scalar, pair, empty}) H5Sclose(space);

  const hdf5::File file = foreign.reopen();
  for (const std::string suffix : {"_ascii", "_utf8"}) {
    EXPECT_EQ(hdf5::read_strings(file.id(), "padded" + suffix),
              (std::vector<std::string>{"eightchr", "nine"}));
    EXPECT_EQ(hdf5::read_string(file.id(), "terminated" + suffix), "abc");
    EXPECT_EQ(hdf5::read_string(file.id(), "spaced" + suffix), "a b");
    EXPECT_EQ(hdf5::read_string(file.id(), "variable" + suffix), "first");
    EXPECT_EQ(hdf5::read_strings(file.id(), "variables" + suffix),
              (std::vector<std::string>{"first", "second"}));
  }
  EXPECT_TRUE(hdf5::read_strings(file.id(), "empty_of_floats").empty());
  EXPECT_THAT(message_of([&] { (void)hdf5::read_string(file.id(), "number"); }),
              HasSubstr("number: does not hold text"));
  EXPECT_THAT(message_of([&] { (void)hdf5::read_string(file.id(), "variables_utf8"); }),
              HasSubstr("one string"));
}

TEST(Hdf5, AMissingObjectIsNamedWithItsFileAndPath) {
  const ScratchFolder scratch;
  {
    const hdf5::File file = test::made_on_disk(scratch / "named.h5");
    (void)hdf5::create_group(file.id(), "layer");
  }
  const hdf5::File file = hdf5::open_file(scratch / "named.h5");
  const hdf5::Group group = hdf5::open_group(file.id(), "layer");
  EXPECT_THAT(
      message_of([&] { (void)hdf5::read<float>(group.id(), "kernel:0", 10); }),
      AllOf(HasSubstr((scratch / "named.h5").string()), HasSubstr("/layer/kernel:0"), HasSubstr("missing")));
  EXPECT_THAT(message_of([&] { (void)hdf5::read_string(group.id(), "author"); }), HasSubstr("/layer/author"));
}

TEST(Hdf5, FilesThatAreNoneAreRefusedWithTheReason) {
  const ScratchFolder scratch;
  std::ofstream(scratch / "text.h5") << "not HDF5 at all";
  std::ofstream(scratch / "empty.h5") << "";
  ASSERT_EQ(mkfifo((scratch / "fifo.h5").c_str(), 0600), 0);  // opening it would wait for ever
  const auto message = [&](const char* name) {
    return message_of([&] { (void)hdf5::open_file(scratch / name); });
  };
  EXPECT_THAT(message("missing.h5"), AllOf(HasSubstr("missing.h5"), HasSubstr("does not exist")));
  EXPECT_THAT(message("."), HasSubstr("not a regular file"));
  EXPECT_THAT(message("fifo.h5"), HasSubstr("not a regular file"));
  EXPECT_THAT(message("text.h5"), HasSubstr("signature"));
  EXPECT_THAT(message("empty.h5"), HasSubstr("signature"));
  const std::vector<std::byte> noise(1000, std::byte{7});
  EXPECT_THAT(message_of([&] { (void)hdf5::open_image(noise); }), HasSubstr("memory"));
  EXPECT_THAT(message_of([&] { (void)hdf5::open_image({}); }), HasSubstr("memory"));
}

TEST(Hdf5, AFileThatMayNotBeReadIsRefusedInTheSystemsWords) {
  const ScratchFolder scratch;
  std::ofstream(scratch / "secret.h5") << "";
  std::filesystem::permissions(scratch / "secret.h5", std::filesystem::perms::none);
  std::filesystem::permissions(scratch.path(), std::filesystem::perms::owner_all |
                                                   std::filesystem::perms::group_exec |
                                                   std::filesystem::perms::others_exec);
  constexpr uid_t kNobody = 65534;
  const uid_t own = geteuid();
  ASSERT_EQ(seteuid(own == 0 ? kNobody : own), 0);
  const std::string message = message_of([&] { (void)hdf5::open_file(scratch / "secret.h5"); });
  ASSERT_EQ(seteuid(own), 0);
  EXPECT_THAT(message, HasSubstr("secret.h5: Permission denied: "));
}

TEST(Hdf5, EveryTruncationOfAFileIsAnErrorOrLeavesItsValues) {
  std::vector<std::int32_t> values(100);
  std::iota(values.begin(), values.end(), 0);
  std::vector<std::byte> image;
  {
    const hdf5::File file = hdf5::create_in_memory();
    hdf5::write<std::int32_t>(file.id(), "values", {values.size()}, values);
    image = hdf5::file_image(file);
  }
  std::size_t refused = 0;
  for (std::size_t size = 1; size < image.size(); size += 13) {
    try {
      const hdf5::File file = hdf5::open_image(std::span(image).first(size));
      EXPECT_EQ(hdf5::read<std::int32_t>(file.id(), "values", 100), values);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 10U);
}

TEST(Hdf5, LinksAreNotFollowed) {
  const ScratchFolder scratch;
  {
    ForeignFile other(scratch / "other.h5");
    other.dataset("secret", {3}, H5T_NATIVE_FLOAT);
  }
  ForeignFile foreign(scratch / "links.h5");
  foreign.dataset("real", {3}, H5T_NATIVE_FLOAT);
  H5Lcreate_soft("/real", foreign.id(), "soft", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external("other.h5", "/secret", foreign.id(), "external", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external("other.h5", "/", foreign.id(), "folder", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_hard(foreign.id(), "real", foreign.id(), "hard", H5P_DEFAULT, H5P_DEFAULT);
  const hdf5::File file = foreign.reopen();
  EXPECT_EQ(hdf5::read<float>(file.id(), "hard", 3).size(), 3U);
  for (const char* const name : {"soft", "external", "folder/secret"}) {
    EXPECT_THAT(message_of([&] { (void)hdf5::read<float>(file.id(), name, 3); }), HasSubstr("link")) << name;
  }
  EXPECT_THAT(message_of([&] { (void)hdf5::open_group(file.id(), "folder"); }), HasSubstr("link"));
}

TEST(Hdf5, ValuesInOtherFilesAreNotRead) {
  const ScratchFolder scratch;
  std::ofstream(scratch / "raw.bin") << std::string(64, 'x');
  ForeignFile foreign(scratch / "outside.h5");
  const hid_t external = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(external, (scratch / "raw.bin").c_str(), 0, 64);
  foreign.dataset("external", {16}, H5T_NATIVE_FLOAT, external);
  H5Pclose(external);
  const hid_t mapped = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t three = 3;
  const hid_t space = H5Screate_simple(1, &three, nullptr);
  H5Pset_virtual(mapped, space, "other.h5", "/secret", space);
  foreign.dataset("virtual", {3}, H5T_NATIVE_FLOAT, mapped);
  H5Sclose(space);
  H5Pclose(mapped);
  const hdf5::File file = foreign.reopen();
  for (const char* const name : {"external", "virtual"}) {
    EXPECT_THAT(message_of([&] { (void)hdf5::read<float>(file.id(), name, 100); }), HasSubstr("another file"))
        << name;
  }
}

TEST(Hdf5, ClaimedSizesAreCheckedBeforeAnythingIsAllocated) {
  const ScratchFolder scratch;
  ForeignFile foreign(scratch / "huge.h5");
  const hsize_t million = 1'000'000;
  const hid_t chunked = H5Pcreate(H5P_DATASET_CREATE);
  const std::array<hsize_t, 2> chunk{20'000, 40'000};  // 3.2 GB
  H5Pset_chunk(chunked, 2, chunk.data());
  foreign.dataset("late", {million, million},
                  H5T_NATIVE_FLOAT);  // never written: a few hundred bytes on disk
  foreign.dataset("chunks", {20'000, 40'000}, H5T_NATIVE_FLOAT, chunked);
  H5Pclose(chunked);
  foreign.dataset("eleven", {11}, H5T_NATIVE_FLOAT);
  const hdf5::File file = foreign.reopen();
  EXPECT_THAT(message_of([&] { (void)hdf5::read<float>(file.id(), "late", 1'000'000); }),
              AllOf(HasSubstr("1000000000000 values"), HasSubstr("at most 1000000 ")));
  EXPECT_THAT(message_of([&] { (void)hdf5::read<float>(file.id(), "chunks", std::uint64_t{1} << 40); }),
              HasSubstr("chunks of more than"));
  EXPECT_THAT(message_of([&] { (void)hdf5::read<float>(file.id(), "eleven", 10); }), HasSubstr("11 values"));
  EXPECT_EQ(hdf5::read<float>(file.id(), "eleven", 11).size(), 11U);
}

TEST(Hdf5, AsManyDimensionsAsThereCanBeAreNoMoreThanTheirProduct) {
  const ScratchFolder scratch;
  ForeignFile foreign(scratch / "rank.h5");
  const std::vector<hsize_t> giant(32, 4);  // 4^32 values, never written
  foreign.dataset("giant", giant, H5T_NATIVE_FLOAT);
  foreign.dataset("ones", std::vector<hsize_t>(32, 1), H5T_NATIVE_FLOAT);
  const hsize_t million_and_one = 1'000'001;
  const hid_t many = H5Screate_simple(1, &million_and_one, nullptr);
  const hid_t latest = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(latest, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);  // lets attributes be large
  const hid_t other = H5Fcreate((scratch / "latest.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, latest);
  const hid_t attribute = H5Acreate2(other, "many", H5T_STD_U8LE, many, H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_GE(attribute, 0);
  H5Aclose(attribute);
  H5Sclose(many);
  H5Pclose(latest);
  H5Fclose(other);
  const hdf5::File file = foreign.reopen();
  EXPECT_EQ(hdf5::extents(file.id(), "giant"), hdf5::Extents(32, 4));
  EXPECT_THAT(message_of([&] { (void)hdf5::read<float>(file.id(), "giant", std::uint64_t{1} << 40U); }),
              HasSubstr("18446744073709551615 values"));
  EXPECT_EQ(hdf5::read<float>(file.id(), "ones", 1).size(), 1U);
  const hdf5::File with_attribute = hdf5::open_file(scratch / "latest.h5");
  EXPECT_THAT(message_of([&] { (void)hdf5::read_numbers<std::int32_t>(with_attribute.id(), "many"); }),
              HasSubstr("holds 1000001 values"));
}

/// `image` with the four bytes of `from`, which it has once, changed to those of `to`.
std::vector<std::byte> patched(std::vector<std::byte> image, std::uint32_t from, std::uint32_t to) {
  std::array<std::byte, 4> wanted{};
  std::memcpy(wanted.data(), &from, wanted.size());
  const auto place = std::search(image.begin(), image.end(), wanted.begin(), wanted.end());
  EXPECT_NE(place, image.end());
  EXPECT_EQ(std::search(place + 1, image.end(), wanted.begin(), wanted.end()), image.end());
  if (place != image.end()) std::memcpy(&*place, &to, sizeof(to));
  return image;
}

TEST(Hdf5, AStringThatClaimsFourGigabytesIsRefused) {
  constexpr std::uint32_t kLength = 4242;  // a number that the file has nowhere else
  std::vector<std::byte> image;
  {
    const hdf5::File file = hdf5::create_in_memory();
    hdf5::write_string(file.id(), "text", std::string(kLength, 'x'));
    image = hdf5::file_image(file);
  }
  for (const std::uint32_t claim : {std::uint32_t{1} << 27U, 0xFFFFFFF0U}) {
    const std::vector<std::byte> lying = patched(image, kLength, claim);
    EXPECT_THAT(message_of([&] {
                  const hdf5::File file = hdf5::open_image(lying);
                  (void)hdf5::read_string(file.id(), "text");
                }),
                AllOf(HasSubstr("cannot use an HDF5 file"), HasSubstr("text")));
  }
}

TEST(Hdf5, OnlyPlainFiltersAreRead) {
  const ScratchFolder scratch;
  ForeignFile foreign(scratch / "filters.h5");
  const hsize_t chunk = 8;
  const auto filtered = [&](const char* name, auto add_filter) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 1, &chunk);
    add_filter(properties);
    foreign.dataset(name, {8}, H5T_NATIVE_INT32, properties);
    H5Pclose(properties);
  };
  filtered("plain", [](hid_t properties) {
    H5Pset_shuffle(properties);
    H5Pset_deflate(properties, 4);
    H5Pset_fletcher32(properties);
  });
  filtered("nbit", [](hid_t properties) { H5Pset_nbit(properties); });
  filtered("scaled", [](hid_t properties) {
    H5Pset_shuffle(properties);
    H5Pset_scaleoffset(properties, H5Z_SO_INT, 4);
  });
  filtered("plugin",
           [](hid_t properties) { H5Pset_filter(properties, 32000, H5Z_FLAG_OPTIONAL, 0, nullptr); });
  const hdf5::File file = foreign.reopen();
  EXPECT_EQ(hdf5::read<std::int32_t>(file.id(), "plain", 8).size(), 8U);
  for (const auto& [name, number] :
       {std::pair("nbit", 5), std::pair("scaled", 6), std::pair("plugin", 32000)}) {
    EXPECT_THAT(message_of([&, dataset = name] { (void)hdf5::read<std::int32_t>(file.id(), dataset, 8); }),
                HasSubstr("packed by filter " + std::to_string(number)));
  }
}

TEST(Hdf5, IntegersAreNotReadFromFloatsNorNumbersFromText) {
  const ScratchFolder scratch;
  ForeignFile foreign(scratch / "types.h5");
  foreign.dataset("floats", {2}, H5T_NATIVE_DOUBLE);
  foreign.dataset("integers", {2}, H5T_NATIVE_INT64);
  const hid_t text = string_type(4, H5T_CSET_ASCII, H5T_STR_NULLPAD);
  foreign.dataset("text", {2}, text);
  H5Tclose(text);
  const hdf5::File file = foreign.reopen();
  EXPECT_THAT(message_of([&] { (void)hdf5::read<std::int32_t>(file.id(), "floats", 2); }),
              HasSubstr("no integers"));
  EXPECT_THAT(message_of([&] { (void)hdf5::read<float>(file.id(), "text", 2); }), HasSubstr("no numbers"));
  EXPECT_EQ(hdf5::read<float>(file.id(), "integers", 2).size(), 2U);
}

TEST(Hdf5, Float16IsReadAsItIsAndFromNothingElse) {
  const hdf5::File file = hdf5::create_in_memory();
  const std::vector<float> floats{1.0F, -2.5F, 65504.0F, 0x1p-24F, 0.0F};
  std::vector<Float16> halves(floats.size());
  std::transform(floats.begin(), floats.end(), halves.begin(), to_float16);
  hdf5::write<Float16>(file.id(), "halves", {halves.size()}, halves);
  hdf5::write<float>(file.id(), "floats", {floats.size()}, floats);
  EXPECT_TRUE(hdf5::is_float16(file.id(), "halves"));
  EXPECT_FALSE(hdf5::is_float16(file.id(), "floats"));
  EXPECT_EQ(hdf5::read<Float16>(file.id(), "halves", 5), halves);
  EXPECT_EQ(hdf5::read<float>(file.id(), "halves", 5), floats) << "HDF5's own conversion";
  EXPECT_THAT(message_of([&] { (void)hdf5::read<Float16>(file.id(), "floats", 5); }),
              HasSubstr("does not hold float16"));
  EXPECT_THAT(message_of([&] { (void)hdf5::read<std::int32_t>(file.id(), "halves", 5); }),
              HasSubstr("holds no integers"));
}

TEST(Hdf5, ShapesThatDoNotFitTheirValuesAreRefused) {
  const hdf5::File file = hdf5::create_in_memory();
  const std::vector<float> six(6);
  EXPECT_THAT(message_of([&] { hdf5::write<float>(file.id(), "a", {2, 2}, six); }), HasSubstr("shape"));
  EXPECT_THAT(message_of([&] {
                hdf5::write<float>(file.id(), "a", {std::uint64_t{1} << 63, 2}, {});
              }),
              HasSubstr("shape"));
  EXPECT_THAT(message_of([&] { hdf5::write_numbers<float>(file.id(), "a", {7}, six); }), HasSubstr("shape"));
}

std::vector<std::byte> small_image(float value) {
  const hdf5::File file = hdf5::create_in_memory();
  const std::array<float, 1> values{value};
  hdf5::write<float>(file.id(), "value", {1}, values);
  hdf5::write_variable_string(file.id(), "text", "of variable length");
  (void)hdf5::create_group(file.id(), "group");
  return hdf5::file_image(file);
}

TEST(Hdf5, EqualContentsGiveEqualBytes) {
  const std::vector<std::byte> first = small_image(1.5F);
  std::vector<std::vector<std::byte>> dirt;  // memory that a careless writer would take over as it is
  for (int i = 1; i < 200; ++i) dirt.emplace_back(static_cast<std::size_t>(i) * 97, std::byte{0xAB});
  dirt.clear();
  EXPECT_EQ(small_image(1.5F), first);
  EXPECT_NE(small_image(2.5F), first);
}

TEST(Hdf5, TwoImagesThatAreOpenAtOnceAreTwoFiles) {
  const std::vector<std::byte> one = small_image(1.0F);
  const std::vector<std::byte> two = small_image(2.0F);
  const hdf5::File first = hdf5::open_image(one);
  const hdf5::File second = hdf5::open_image(two);
  EXPECT_EQ(hdf5::read<float>(first.id(), "value", 1).front(), 1.0F);
  EXPECT_EQ(hdf5::read<float>(second.id(), "value", 1).front(), 2.0F);
}

TEST(Hdf5, AnImageIsNotChangedByReadingIt) {
  const std::vector<std::byte> image = small_image(3.0F);
  std::vector<std::byte> used = image;
  for (int i = 0; i < 3; ++i) {
    const hdf5::File file = hdf5::open_image(used);
    EXPECT_EQ(hdf5::read<float>(file.id(), "value", 1).front(), 3.0F);
  }
  EXPECT_EQ(used, image);
}

TEST(Hdf5, AHandleThatOutlivesItsFileDoesNotKeepItOpen) {
  const ScratchFolder scratch;
  {
    const hdf5::File file = test::made_on_disk(scratch / "a.h5");
    (void)hdf5::create_group(file.id(), "group");
  }
  std::optional<hdf5::Group> group;
  {
    const hdf5::File file = hdf5::open_file(scratch / "a.h5");
    group.emplace(hdf5::open_group(file.id(), "group"));
  }
  EXPECT_EQ(H5Fget_obj_count(static_cast<hid_t>(H5F_OBJ_ALL), H5F_OBJ_ALL), 0);
  group.reset();
}

TEST(Hdf5, ListsOfStringsComeBackAndOthersAreRefused) {
  const hdf5::File file = hdf5::create_in_memory();
  const std::vector<std::string> texts{"a", "", "\u00e9"};
  hdf5::write_string_dataset(file.id(), "texts", texts);
  EXPECT_EQ(hdf5::read_string_dataset(file.id(), "texts", 3), texts);
  EXPECT_THROW((void)hdf5::read_string_dataset(file.id(), "texts", 2), Error);
  const std::vector<float> numbers{1.0F, 2.0F};
  hdf5::write<float>(file.id(), "numbers", {2}, numbers);
  EXPECT_THROW((void)hdf5::read_string_dataset(file.id(), "numbers", 9), Error);
  EXPECT_THROW((void)hdf5::read_string_dataset(file.id(), "missing", 9), Error);
}

TEST(Hdf5, AMatrixIsReadAFewRowsAtATimeAndOthersAreRefused) {
  const hdf5::File file = hdf5::create_in_memory();
  const std::vector<float> numbers{1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F};
  hdf5::write<float>(file.id(), "matrix", {3, 2}, numbers);
  const hdf5::MatrixReader matrix(file.id(), "matrix");
  EXPECT_EQ(matrix.rows(), 3U);
  EXPECT_EQ(matrix.columns(), 2U);
  std::vector<float> rows(4);
  matrix.read(1, rows);
  EXPECT_EQ(rows, (std::vector<float>{3.0F, 4.0F, 5.0F, 6.0F}));
  EXPECT_THROW(matrix.read(2, rows), Error) << "there is one row from there on";
  hdf5::write<float>(file.id(), "list", {6}, numbers);
  EXPECT_THROW(hdf5::MatrixReader(file.id(), "list"), Error);
  hdf5::write_string_dataset(file.id(), "texts", {"a"});
  EXPECT_THROW(hdf5::MatrixReader(file.id(), "texts"), Error);
}

}  // namespace
}  // namespace headstart
