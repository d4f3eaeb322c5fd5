// tests/data/sha256_test.cpp: the examples are those of FIPS 180-2, appendix B.
#include "data/sha256.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace headstart {
namespace {

static_assert(std::is_nothrow_move_constructible_v<Sha256Stream>);
static_assert(!std::is_copy_constructible_v<Sha256Stream>);

constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256Test, AgreesWithThePublishedExamples) {
  EXPECT_EQ(sha256("abc").hex(), kAbc);
  EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Test, BytesInPiecesGiveTheSameDigest) {
  Sha256Stream stream;
  stream.update(std::as_bytes(std::span("a", 1)));
  Sha256Stream moved = std::move(stream);
  moved.update({});
  moved.update(std::as_bytes(std::span("bc", 2)));
  EXPECT_EQ(moved.finish().hex(), kAbc);
}

TEST(Sha256Test, HexadecimalIsReadInEitherCase) {
  EXPECT_EQ(Sha256::from_hex(kAbc), sha256("abc"));
  EXPECT_EQ(Sha256::from_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
            sha256("abc"));
}

TEST(Sha256Test, WhatIsNoDigestIsNotRead) {
  EXPECT_FALSE(Sha256::from_hex(""));
  EXPECT_FALSE(Sha256::from_hex(std::string(63, 'a')));
  EXPECT_FALSE(Sha256::from_hex(std::string(63, 'a') + "g"));
}

}  // namespace
}  // namespace headstart
