// tests/features/network/safetensors_test.cpp: every rule of the format, broken once.
#include "features/network/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <stdexcept>

#include "tests/features/network/safetensors_file.hpp"

namespace headstart {
namespace {

using test::safetensors_bytes;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal_of_bytes(std::span<const std::byte> bytes) {
  try {
    (void)parse_safetensors(bytes);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal_of(std::string_view header, std::size_t value_bytes) {
  return refusal_of_bytes(safetensors_bytes(header, std::vector<std::byte>(value_bytes)));
}

TEST(Safetensors, TensorsAndMetadataAreRead) {
  std::vector<std::byte> values(20);
  values[4] = std::byte{7};
  const std::vector<std::byte> bytes = safetensors_bytes(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]},)"
      R"("a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}   )",
      values);
  const SafetensorsFile file = parse_safetensors(bytes);
  ASSERT_EQ(file.tensors.size(), 2U);
  EXPECT_EQ(file.tensors.at("a").type, "F16");
  EXPECT_EQ(file.tensors.at("a").bytes.size(), 4U);
  EXPECT_EQ(file.tensors.at("b").shape, (TensorShape{2, 2}));
  EXPECT_EQ(file.tensors.at("b").bytes.size(), 16U);
  EXPECT_EQ(file.tensors.at("b").bytes[0], std::byte{7});
  EXPECT_EQ(file.metadata.at("format"), "pt");
}

TEST(Safetensors, ScalarsEmptyTensorsAndUnknownTypesAreAllowed) {
  EXPECT_EQ(refusal_of(R"({"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                       R"("b":{"dtype":"F32","shape":[0,5],"data_offsets":[8,8]},)"
                       R"("c":{"dtype":"F99","shape":[3],"data_offsets":[8,10]}})",
                       10),
            "accepted");
}

TEST(Safetensors, AHeaderLongerThanTheFileIsRefused) {
  std::vector<std::byte> bytes = safetensors_bytes("{}", {});
  bytes[0] = std::byte{3};
  EXPECT_THAT(refusal_of_bytes(bytes), HasSubstr("header has 3 bytes, of which 2 are there"));
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = std::byte{0xFF};
  EXPECT_THAT(refusal_of_bytes(bytes), HasSubstr("18446744073709551615"));
  EXPECT_THAT(refusal_of_bytes(std::span(bytes).first(7)), HasSubstr("too short"));
}

TEST(Safetensors, AHeaderAboveTheLimitIsRefusedUnparsed) {
  const std::string header = "{}" + std::string(kMaxSafetensorsHeaderBytes - 1, ' ');
  EXPECT_THAT(refusal_of(header, 0), HasSubstr("more than 1048576"));
  EXPECT_EQ(refusal_of(header.substr(0, header.size() - 1), 0), "accepted");
}

TEST(Safetensors, AHeaderThatIsNoJsonIsRefusedWithThePlace) {
  EXPECT_THAT(refusal_of(R"({"a":})", 0), HasSubstr("no JSON from byte"));
  EXPECT_THAT(refusal_of("[]", 0), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal_of(R"({"a":1e999})", 0), HasSubstr("no JSON"));
  EXPECT_THAT(refusal_of("{\"\xFF\":1}", 0), HasSubstr("no JSON from byte"));
}

TEST(Safetensors, DeepNestingIsRefused) {
  EXPECT_THAT(refusal_of("{\"a\":" + std::string(100'000, '['), 0), HasSubstr("nested too deeply"));
}

TEST(Safetensors, NamesAndKeysThatComeTwiceAreRefused) {
  constexpr std::string_view kTensor = R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  EXPECT_THAT(refusal_of(fmt::format("{{{0},{0}}}", kTensor), 0), HasSubstr("'a' twice"));
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}})", 0),
              HasSubstr("'dtype' twice"));
  EXPECT_EQ(
      refusal_of(fmt::format(R"({{{0},"b":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}}})", kTensor), 0),
      "accepted");
}

TEST(Safetensors, EveryMemberIsNeededAndHasItsType) {
  EXPECT_THAT(refusal_of(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1), HasSubstr("'a' has no dtype"));
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1), HasSubstr("'a' has no shape"));
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"U8","shape":[1]}})", 1), HasSubstr("'a' has no data_offsets"));
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}})", 1), HasSubstr("dtype"));
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", 1), HasSubstr("shape"));
  EXPECT_THAT(refusal_of(R"({"a":7})", 1), HasSubstr("'a' is no JSON object"));
  EXPECT_THAT(refusal_of(R"({"__metadata__":7})", 0), HasSubstr("__metadata__"));
  EXPECT_THAT(refusal_of(R"({"__metadata__":{"x":7}})", 0), HasSubstr("'x'"));
}

TEST(Safetensors, NumbersThatAreNoCountsAreRefused) {
  for (const char* const shape : {"[-1]", "[1.0]", "[\"1\"]", "[18446744073709551616]", "[null]"}) {
    EXPECT_THAT(
        refusal_of(fmt::format(R"({{"a":{{"dtype":"U8","shape":{},"data_offsets":[0,1]}}}})", shape), 1),
        HasSubstr("no list of whole numbers"))
        << shape;
  }
  for (const char* const offsets : {"[1,0]", "[0]", "[0,1,1]", "[]"}) {
    EXPECT_THAT(
        refusal_of(fmt::format(R"({{"a":{{"dtype":"U8","shape":[1],"data_offsets":{}}}}})", offsets), 1),
        HasSubstr("no beginning and end"))
        << offsets;
  }
}

TEST(Safetensors, ShapesWhoseSizeOverflowsAreRefused) {
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
              HasSubstr("a tensor of 4294967296x4294967296"));
  // 2^61 values of 64 bits: the number of values fits, that of bits does not.
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0),
              HasSubstr("do not fill exactly"));
}

TEST(Safetensors, TypeShapeAndOffsetsHaveToAgree) {
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}})", 20),
              AllOf(HasSubstr("'a' has 20 bytes"), HasSubstr("2x3 of F32")));
}

TEST(Safetensors, ATruncatedFileIsRefusedNamingATensor) {
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", 7),
              HasSubstr("ends early: tensor 'a' ends at byte 8 of the values, 7 are there"));
  EXPECT_THAT(
      refusal_of(
          R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[18446744073709551600,18446744073709551608]}})",
          8),
      HasSubstr("ends early"));
}

TEST(Safetensors, OverlapsAndGapsAreRefused) {
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                         R"("b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
                         7),
              HasSubstr("'a' and 'b' overlap"));
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                         R"("b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]}})",
                         10),
              HasSubstr("2 bytes before tensor 'b'"));
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 9),
              HasSubstr("5 bytes at its end"));
}

TEST(Safetensors, OnlyFloatingPointTypesBecomeWeights) {
  EXPECT_EQ(safetensors_float_type("F32"), FloatType::kFloat32);
  EXPECT_EQ(safetensors_float_type("F16"), FloatType::kFloat16);
  EXPECT_EQ(safetensors_float_type("BF16"), FloatType::kBfloat16);
  EXPECT_EQ(safetensors_float_type("F64"), FloatType::kFloat64);
  EXPECT_FALSE(safetensors_float_type("I32"));
}

}  // namespace
}  // namespace headstart
