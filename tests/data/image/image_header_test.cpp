// tests/data/image/image_header_test.cpp
#include "data/image/image_header.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <tuple>

#include "data/image/image_format.hpp"
#include "tests/data/image_files.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

std::string reason(std::string_view text) {
  const auto result = read_image_header(test::bytes(text));
  return std::holds_alternative<Reject>(result) ? std::get<Reject>(result).reason : "accepted";
}

/// Name of the format, width and height.
using Facts = std::tuple<std::string_view, std::uint32_t, std::uint32_t>;

Facts header_of(const std::string& name) {
  const auto result = read_image_header(test::image_bytes(name));
  const auto* const header = std::get_if<ImageHeader>(&result);
  EXPECT_NE(header, nullptr) << name;
  return header != nullptr ? Facts{header->format->name, header->width, header->height} : Facts{};
}

TEST(ImageHeaderTest, KnowsEachFormatByItsBytesAndReadsTheStoredSize) {
  EXPECT_EQ(header_of("420.jpg"), (Facts{"JPEG", 33, 19}));
  EXPECT_EQ(header_of("progressive.jpg"), (Facts{"JPEG", 33, 19}));
  EXPECT_EQ(header_of("rgb.png"), (Facts{"PNG", 8, 6}));
  EXPECT_EQ(header_of("lossy.webp"), (Facts{"WebP", 33, 19}));
  EXPECT_EQ(header_of("rgba.webp"), (Facts{"WebP", 8, 6}));
  EXPECT_EQ(header_of("orientation_8.webp"), (Facts{"WebP", 8, 6}));
  EXPECT_EQ(header_of("animated_part.webp"), (Facts{"WebP", 13, 12})) << "the canvas";
  EXPECT_EQ(header_of("palette.gif"), (Facts{"GIF", 13, 13}));
  EXPECT_EQ(header_of("part.gif"), (Facts{"GIF", 17, 16})) << "the canvas";
  EXPECT_EQ(header_of("leaves_canvas.gif"), (Facts{"GIF", 13, 13}));
  EXPECT_EQ(header_of("rgb.tif"), (Facts{"TIFF", 8, 6}));
  EXPECT_EQ(header_of("grey16.tif"), (Facts{"TIFF", 8, 6})) << "big endian";
  EXPECT_EQ(header_of("alpha_top_down.bmp"), (Facts{"BMP", 8, 6}));
  for (const char* name : {"p1.pbm", "p2.pgm", "p3.ppm", "p4.pbm", "p5.pgm", "p6.ppm"}) {
    EXPECT_EQ(header_of(name), (Facts{"PNM", 8, 6})) << name;
  }
  EXPECT_EQ(header_of("rgb.jp2"), (Facts{"JPEG 2000", 33, 19}));
  EXPECT_EQ(header_of("rgb.j2k"), (Facts{"JPEG 2000", 33, 19}));
}

TEST(ImageHeaderTest, NamesTheFormatsThatAreNotSupported) {
  EXPECT_EQ(reason("\0\0\0\x1c"
                   "ftypavif\0\0\0\0"sv),
            "AVIF is not supported");
  EXPECT_EQ(reason("\0\0\0\x1c"
                   "ftypheic\0\0\0\0"sv),
            "HEIC is not supported");
  EXPECT_EQ(reason("\0\0\0\x1c"
                   "ftypisom\0\0\0\0"sv),
            "is a video, not an image");
  EXPECT_EQ(reason("<?xml version='1.0'?>\n<SVG xmlns='x'>"), "SVG is not supported");
  EXPECT_EQ(reason("  <svg>"), "SVG is not supported");
  EXPECT_EQ(reason("%PDF-1.7"), "PDF is not supported");
  EXPECT_EQ(reason("<!DOCTYPE html><title>404"), "is a web page, not an image");
}

TEST(ImageHeaderTest, SaysWhatToDoAboutFilesThatStandForAnImage) {
  EXPECT_EQ(reason("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"),
            "is a Git LFS pointer, not an image: git lfs pull fetches the image");
  EXPECT_EQ(
      reason("\x89PNG\r\n\x1A\n\0\0\0\4CgBIP\0 \2\x2B\xD5\xB3\x7F\0\0\0\rIHDR"sv),
      "is a PNG of iOS (CgBI), which is not supported: pngcrush -revert-iphone-optimizations converts it");
}

TEST(ImageHeaderTest, WhatIsNoImageIsNone) {
  for (const std::string_view text :
       {""sv, "P"sv, "hello"sv, "BM I like BMW"sv, "P8\n1 1\n"sv, "\xFF\xD8"sv, "II*"sv}) {
    EXPECT_EQ(reason(text), "is not an image") << text;
  }
}

TEST(ImageHeaderTest, AHeaderThatEndsEarlyOrGivesNoSizeIsRejected) {
  EXPECT_EQ(reason("\xFF\xD8\xFF\xE0\0"sv), "JPEG header gives no size");
  EXPECT_EQ(reason("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"sv), "PNG header gives no size");
  EXPECT_EQ(reason("RIFF\4\0\0\0WEBPVP8X"sv), "WebP header gives no size");
  EXPECT_EQ(reason("GIF89a\1\0\1\0"sv), "GIF has no picture");
  EXPECT_EQ(reason("II*\0\xFF\xFF\xFF\xFF"sv), "TIFF ends early");
  EXPECT_EQ(reason("P6\n99999999999 1\n255\n"sv), "PNM header gives no size");
  EXPECT_EQ(reason("P5\n2000000 1\n255\n"sv), "is 2000000 x 1 pixels, more than 1048576 on a side");
}

}  // namespace
}  // namespace headstart
