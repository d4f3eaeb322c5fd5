// tests/pipeline/rows/npy_header_test.cpp: headers as NumPy writes them, and headers that claim what is not
// so.
#include "pipeline/rows/npy_header.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

namespace headstart {
namespace {

/// A header of format 1.0 or 2.0 around `dictionary`.
std::string npy_start(std::string_view dictionary, int major = 1) {
  std::string start = "\x93NUMPY";
  start += static_cast<char>(major);
  start += '\0';
  for (std::size_t i = 0, length = dictionary.size(); i < (major == 1 ? 2U : 4U); ++i, length >>= 8U)
    start += static_cast<char>(length & 0xFFU);
  return start + std::string(dictionary);
}

/// The header of that dictionary before so many bytes of values.
std::variant<NpyHeader, Reject> parsed_npy(std::string_view dictionary, std::uint64_t bytes, int major = 1) {
  const std::string start = npy_start(dictionary, major);
  return parse_npy_header(start, start.size() + bytes);
}

void expect_reject(const std::variant<NpyHeader, Reject>& result, std::string_view words) {
  const auto* const reject = std::get_if<Reject>(&result);
  ASSERT_NE(reject, nullptr) << "accepted, but: " << words;
  EXPECT_NE(reject->reason.find(words), std::string::npos) << reject->reason << ", but: " << words;
}

TEST(NpyHeader, IsReadInEveryNotationOfPython) {
  for (const char* dictionary :
       {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }\n",
        "{\"shape\":(3,5),\"descr\":\"<f4\",\"fortran_order\":False}",
        "  { 'fortran_order' : False ,\t'shape' : ( 3 , 5 , ) , 'descr' : '<f4' }   \n"}) {
    for (const int major : {1, 2}) {
      const auto result = parsed_npy(dictionary, 60, major);
      ASSERT_TRUE(std::holds_alternative<NpyHeader>(result)) << std::get<Reject>(result).reason;
      const auto& header = std::get<NpyHeader>(result);
      EXPECT_EQ(header.type, NpyType::kFloat32);
      EXPECT_EQ(header.rows, 3U);
      EXPECT_EQ(header.columns, 5U);
      EXPECT_EQ(header.offset, npy_start(dictionary, major).size());
    }
  }
}

TEST(NpyHeader, IsReadAsItIsWritten) {
  for (const FeatureType type : {FeatureType::kFloat32, FeatureType::kFloat16}) {
    const std::string written = npy_header(type, 70'000, 512);
    EXPECT_EQ(written.size() % 64, 0U);
    const auto result = parse_npy_header(written, written.size() + bytes_of(type) * 70'000 * 512);
    ASSERT_TRUE(std::holds_alternative<NpyHeader>(result)) << std::get<Reject>(result).reason;
    const auto& header = std::get<NpyHeader>(result);
    EXPECT_EQ(bytes_of(header.type), bytes_of(type));
    EXPECT_EQ(header.rows, 70'000U);
    EXPECT_EQ(header.columns, 512U);
    EXPECT_EQ(header.offset, written.size());
  }
}

TEST(NpyHeader, RefusesWhatIsNoMatrixOfFloats) {
  const auto dictionary = [](std::string_view descr, std::string_view order, std::string_view shape) {
    return "{'descr': " + std::string(descr) + ", 'fortran_order': " + std::string(order) +
           ", 'shape': " + std::string(shape) + ", }";
  };
  expect_reject(parsed_npy(dictionary("'>f4'", "False", "(3, 5)"), 60), "descr is '>f4'");
  expect_reject(parsed_npy(dictionary("'<i8'", "False", "(3, 5)"), 120), "descr is '<i8'");
  expect_reject(parsed_npy(dictionary("'|O'", "False", "(3, 5)"), 120), "descr is '|O'");
  expect_reject(parsed_npy(dictionary("[('a', '<f4')]", "False", "(3, 5)"), 60), "not one type");
  expect_reject(parsed_npy(dictionary("'<f4'", "True", "(3, 5)"), 60), "numpy.ascontiguousarray");
  expect_reject(parsed_npy(dictionary("'<f4'", "0", "(3, 5)"), 60), "fortran_order");
  expect_reject(parsed_npy(dictionary("'<f4'", "False", "(15,)"), 60), "is of 1 dimensions");
  expect_reject(parsed_npy(dictionary("'<f4'", "False", "()"), 4), "is of 0 dimensions");
  expect_reject(parsed_npy(dictionary("'<f4'", "False", "(1, 3, 5)"), 60), "is of 3 dimensions");
  expect_reject(parsed_npy(dictionary("'<f4'", "False", "(-3, 5)"), 60), "shape");
  expect_reject(parsed_npy(dictionary("'<f4'", "False", "(99999999999999999999, 5)"), 60), "shape");
}

TEST(NpyHeader, RefusesAShapeThatDoesNotFillTheFile) {
  const auto of_shape = [](std::string_view shape, std::uint64_t bytes) {
    return parsed_npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + std::string(shape) + "}", bytes);
  };
  expect_reject(of_shape("(3, 5)", 59), "claims 3 x 5 values of 4 bytes, 59 bytes");
  expect_reject(of_shape("(3, 5)", 64), "64 bytes of values follow");
  // Products that wrap round to 60 or to 0 bytes.
  expect_reject(of_shape("(4611686018427387904, 16)", 0), "claims");
  expect_reject(of_shape("(4611686018427387919, 1)", 60), "claims");
  expect_reject(of_shape("(18446744073709551615, 18446744073709551615)", 4), "claims");
  EXPECT_TRUE(std::holds_alternative<NpyHeader>(of_shape("(0, 5)", 0)));
  EXPECT_TRUE(std::holds_alternative<NpyHeader>(of_shape("(5, 0)", 0)));
}

TEST(NpyHeader, RefusesWhatIsNoHeader) {
  const std::string whole = npy_header(FeatureType::kFloat32, 3, 5);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(std::holds_alternative<Reject>(parse_npy_header(whole.substr(0, size), size))) << size;
  for (const char* dictionary :
       {"", "{", "[]", "{'descr'}", "{'descr': '<f4', 'colour': 1}", "{'descr: '<f4'}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5)} {"})
    expect_reject(parsed_npy(dictionary, 60), "no dictionary");
  expect_reject(parsed_npy("{}", 60), "descr");
  expect_reject(parsed_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5)}", 60, 3),
                "is of .npy format 3.0");
  std::string long_header = npy_start("{}", 2);
  long_header[10] = '\x7f';  // a length of 8 MB
  expect_reject(parse_npy_header(long_header, 1'000'000'000), "has a header of");
  expect_reject(parse_npy_header("\x89HDF\r\n\x1a\n", 100), "is no .npy file");
}

}  // namespace
}  // namespace headstart
