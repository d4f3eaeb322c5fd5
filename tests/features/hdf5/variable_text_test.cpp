// tests/features/hdf5/variable_text_test.cpp: strings of variable length come back, however they are stored;
// what lies about its length is refused before memory is asked for.
#include "features/hdf5/variable_text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "data/error.hpp"
#include "features/hdf5/hdf5.hpp"

namespace headstart {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Texts = std::vector<std::string>;

/// The message of the Error that `action` throws; fails the test if it throws none.
template <typename Action>
std::string refusal_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

/// The most addresses that this process has had at once, in bytes.
std::uint64_t peak_addresses() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmPeak:")) return std::stoull(line.substr(7)) * 1024;
  }
  ADD_FAILURE() << "no VmPeak";
  return 0;
}

hdf5::Type variable_string() {
  hdf5::Type type{H5Tcopy(H5T_C_S1)};
  H5Tset_size(type.id(), H5T_VARIABLE);
  return type;
}

hdf5::Space list_of(hsize_t count) { return hdf5::Space{H5Screate_simple(1, &count, nullptr)}; }

std::vector<const char*> pointers_to(const Texts& texts) {
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

void write_dataset(hid_t file, const char* name, const Texts& texts, hid_t properties = H5P_DEFAULT) {
  const hdf5::Type type = variable_string();
  const hdf5::Dataset set{
      H5Dcreate2(file, name, type.id(), list_of(texts.size()).id(), H5P_DEFAULT, properties, H5P_DEFAULT)};
  EXPECT_GE(H5Dwrite(set.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers_to(texts).data()), 0);
}

void write_attribute(hid_t file, const char* name, const Texts& texts) {
  const hdf5::Type type = variable_string();
  const hdf5::Attribute attribute{
      H5Acreate2(file, name, type.id(), list_of(texts.size()).id(), H5P_DEFAULT, H5P_DEFAULT)};
  EXPECT_GE(H5Awrite(attribute.id(), type.id(), pointers_to(texts).data()), 0);
}

/// A file whose dataset and attribute `texts` hold them.
std::vector<std::byte> image_of(const Texts& texts, bool as_attribute) {
  const hdf5::File file = hdf5::create_in_memory();
  as_attribute ? write_attribute(file.id(), "texts", texts) : write_dataset(file.id(), "texts", texts);
  return hdf5::file_image(file);
}

Texts read(const std::vector<std::byte>& image, bool as_attribute) {
  const hdf5::File file = hdf5::open_image(image);
  return as_attribute ? hdf5::read_strings(file.id(), "texts")
                      : hdf5::read_string_dataset(file.id(), "texts", 1'000'000);
}

constexpr std::size_t kReference = 16;  // length, the heap's address in 8 bytes, number in the heap

/// Where the reference to a string of `length` is, which no other number of the file is. The heap has the
/// length as well, in 8 bytes.
std::byte* reference_in(std::vector<std::byte>& image, std::uint32_t length) {
  const auto bytes = std::as_bytes(std::span(&length, 1));
  for (auto at = image.begin();; ++at) {
    at = std::search(at, image.end(), bytes.begin(), bytes.end());
    if (image.end() - at < static_cast<std::ptrdiff_t>(kReference)) break;
    if (std::any_of(at + 4, at + 8, [](std::byte byte) { return byte != std::byte{}; })) return &*at;
  }
  ADD_FAILURE() << "no reference";
  return image.data();
}

TEST(VariableText, ComesBackHoweverItIsStored) {
  Texts texts;
  for (int i = 0; i < 70'000; ++i)  // more than HDF5 converts at once
    texts.push_back(i % 7 == 0 ? std::string() : fmt::format("class/image {} \u00e9.jpg", i));
  const hdf5::File file = hdf5::create_in_memory();
  const hsize_t chunk = 999;
  for (const bool packed : {false, true}) {
    const hdf5::PropertyList properties{H5Pcreate(H5P_DATASET_CREATE)};
    H5Pset_chunk(properties.id(), 1, &chunk);
    if (packed) H5Pset_deflate(properties.id(), 4);
    const char* const name = packed ? "packed" : "chunks";
    write_dataset(file.id(), name, texts, properties.id());
    EXPECT_EQ(hdf5::read_string_dataset(file.id(), name, texts.size()), texts);
  }
  write_dataset(file.id(), "contiguous", texts);
  EXPECT_EQ(hdf5::read_string_dataset(file.id(), "contiguous", texts.size()), texts);
  texts.resize(1000);
  write_attribute(file.id(), "attribute", texts);
  EXPECT_EQ(hdf5::read_strings(file.id(), "attribute"), texts);
}

TEST(VariableText, OfAFileWithSmallAddressesComesBack) {
  const Texts texts{"first", "", "third"};
  const hdf5::PropertyList creation{H5Pcreate(H5P_FILE_CREATE)};
  H5Pset_sizes(creation.id(), 4, 4);
  const hdf5::PropertyList access{H5Pcreate(H5P_FILE_ACCESS)};
  H5Pset_fapl_core(access.id(), 4096, false);
  const hdf5::File file{H5Fcreate("small addresses", H5F_ACC_TRUNC, creation.id(), access.id())};
  write_dataset(file.id(), "texts", texts);
  write_attribute(file.id(), "texts", texts);
  EXPECT_EQ(hdf5::read_string_dataset(file.id(), "texts", 3), texts);
  EXPECT_EQ(hdf5::read_strings(file.id(), "texts"), texts);
}

TEST(VariableText, WhatWasNeverWrittenIsEmptyOrTheFillValue) {
  const hdf5::File file = hdf5::create_in_memory();
  const hdf5::Type type = variable_string();
  const hsize_t chunk = 2;
  const char* const fill = "nothing";
  for (const bool chunked : {false, true}) {
    for (const bool filled : {false, true}) {
      const hdf5::PropertyList properties{H5Pcreate(H5P_DATASET_CREATE)};
      if (chunked) H5Pset_chunk(properties.id(), 1, &chunk);
      if (filled) H5Pset_fill_value(properties.id(), type.id(), &fill);
      const std::string name = fmt::format("{} {}", chunked, filled);
      const hdf5::Dataset set{H5Dcreate2(file.id(), name.c_str(), type.id(), list_of(3).id(), H5P_DEFAULT,
                                         properties.id(), H5P_DEFAULT)};
      EXPECT_EQ(hdf5::read_string_dataset(file.id(), name, 3), Texts(3, filled ? fill : "")) << name;
    }
  }
}

TEST(VariableText, ThatClaimsMoreThanItsFileIsRefusedBeforeItIsAllocated) {
  constexpr std::uint32_t kLength = 4242;
  for (const bool as_attribute : {false, true}) {
    std::vector<std::byte> image = image_of({"short", std::string(kLength, 'x')}, as_attribute);
    std::byte* const reference = reference_in(image, kLength);
    for (const std::uint32_t claim : {std::uint32_t{1} << 20U, std::uint32_t{1} << 31U, 0xFFFFFFFFU}) {
      std::memcpy(reference, &claim, sizeof(claim));
      const std::uint64_t before = peak_addresses();
      EXPECT_THAT(refusal_of([&] { (void)read(image, as_attribute); }),
                  AllOf(HasSubstr("cannot use an HDF5 file: memory: /texts: "),
                        HasSubstr(fmt::format("claims a string of {} bytes", claim))));
      EXPECT_LT(peak_addresses() - before, std::uint64_t{1} << 20U) << as_attribute << ' ' << claim;
    }
  }
}

// One string of 1 MiB that all elements refer to: a file of 1 MiB.
TEST(VariableText, ThatIsMoreThanAllowedInAllIsRefusedBeforeItIsAllocated) {
  constexpr std::uint32_t kLength = (1U << 20U) + 4242;
  for (const bool as_attribute : {false, true}) {
    Texts texts(as_attribute ? 100 : 1100);
    texts[0].assign(kLength, 'x');
    std::vector<std::byte> image = image_of(texts, as_attribute);
    std::byte* const reference = reference_in(image, kLength);
    const auto all = [&](std::size_t count) {
      for (std::size_t i = 1; i < count; ++i) std::memcpy(reference + i * kReference, reference, kReference);
    };
    all(50);
    EXPECT_EQ(read(image, as_attribute)[49], texts[0]) << "this much is allowed";
    all(texts.size());
    const std::uint64_t before = peak_addresses();
    EXPECT_THAT(
        refusal_of([&] { (void)read(image, as_attribute); }),
        HasSubstr(as_attribute ? "holds more than 64 MiB of text" : "holds more than 1024 MiB of text"));
    EXPECT_LT(peak_addresses() - before, std::uint64_t{8} << 20U) << as_attribute;
  }
}

// AddressSanitizer sees what is lost of the strings before the one that can't be read.
TEST(VariableText, WithAStringThatCannotBeReadIsAnErrorAndNothingIsLost) {
  constexpr std::uint32_t kLength = 4242;
  for (const bool as_attribute : {false, true}) {
    std::vector<std::byte> image = image_of({"before", std::string(kLength, 'x'), "after"}, as_attribute);
    const std::uint64_t address = 8;  // where no heap is
    std::memcpy(reference_in(image, kLength) + 4, &address, sizeof(address));
    EXPECT_THAT(refusal_of([&] { (void)read(image, as_attribute); }),
                HasSubstr("cannot use an HDF5 file: memory: /texts: "));
    EXPECT_EQ(read(image_of({"next"}, as_attribute), as_attribute), Texts{"next"}) << "the next file is read";
  }
}

}  // namespace
}  // namespace headstart
