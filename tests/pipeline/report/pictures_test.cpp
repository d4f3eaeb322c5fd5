// tests/pipeline/report/pictures_test.cpp
#include "pipeline/report/pictures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "data/dataset/discovery.hpp"
#include "data/image/jpeg.hpp"
#include "pipeline/process/write_file.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

/// Two classes of JPEGs, 200 x 100, and one file that is none.
class Pictures : public ::testing::Test {
 protected:
  Pictures() {
    const RgbImage image{100, 200, std::vector<std::uint8_t>(60000, 90)};
    for (const char* label : {"a", "b"}) {
      std::filesystem::create_directory(scratch_ / label);
      for (int i = 0; i < 10; ++i)
        write_file(scratch_ / label / (std::to_string(i) + ".jpg"), encode_jpeg(image, 80));
    }
    write_file(scratch_ / "b" / "broken.jpg", "no image");
    manifest_ = discover(scratch_.path());
    for (std::size_t i = 0; i < manifest_.samples.size(); ++i)
      images_[i] = {manifest_.samples[i].path, manifest_.samples[i].label, "", "", 0, 0};
  }

  [[nodiscard]] std::ptrdiff_t with_picture() const {
    return std::count_if(images_.begin(), images_.end(),
                         [](const auto& image) { return !image.second.jpeg.empty(); });
  }

  test::ScratchFolder scratch_;
  Manifest manifest_;
  std::map<ImageNumber, ShownImage> images_;
};

TEST_F(Pictures, EveryImageThatDecodesGetsOne) {
  take_pictures(images_, manifest_, {}, {});
  EXPECT_EQ(with_picture(), 20);
  for (const auto& [number, image] : images_) {
    EXPECT_EQ(image.jpeg.empty(), image.name == "b/broken.jpg");
    if (image.jpeg.empty()) continue;
    EXPECT_EQ(image.width, 96);
    EXPECT_EQ(image.height, 48);
    EXPECT_EQ(image.jpeg.substr(0, 4), "/9j/");  // what a JPEG begins with, in base64
    EXPECT_EQ(image.jpeg.size() % 4, 0U);
  }
}

TEST_F(Pictures, ALimitSpreadsThemAndASecondCallGoesOn) {
  take_pictures(images_, manifest_, {}, {4, std::uint64_t{1} << 30U});
  EXPECT_EQ(with_picture(), 4);
  EXPECT_FALSE(images_[0].jpeg.empty());
  EXPECT_TRUE(images_[1].jpeg.empty());
  EXPECT_FALSE(images_[15].jpeg.empty());
  take_pictures(images_, manifest_, {}, {});
  EXPECT_EQ(with_picture(), 20);
}

TEST_F(Pictures, ALimitOfBytesEndsThem) {
  const std::uint64_t bytes = std::filesystem::file_size(scratch_ / "a" / "0.jpg");
  take_pictures(images_, manifest_, {}, {100, 5 * bytes});
  EXPECT_EQ(with_picture(), 5);
}

TEST_F(Pictures, AFileThatIsGoneHasNone) {
  std::filesystem::remove(scratch_ / "a" / "3.jpg");
  take_pictures(images_, manifest_, {}, {});
  EXPECT_EQ(with_picture(), 19);
}

}  // namespace
}  // namespace headstart
