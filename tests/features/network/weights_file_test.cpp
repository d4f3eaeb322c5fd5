// tests/features/network/weights_file_test.cpp: the reader is chosen by what a file holds, not by its name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <span>

#include "data/error.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"
#include "tests/features/network/onnx_file.hpp"
#include "tests/features/network/safetensors_file.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::made_up_weights;
using test::ScratchFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

fs::path write(const fs::path& file, std::span<const std::byte> bytes) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return file;
}

fs::path write(const fs::path& file, std::string_view text) {
  return write(file, std::as_bytes(std::span(text)));
}

std::string refusal_of(const fs::path& file, const Network& network = vgg16()) {
  try {
    (void)read_weights(network, file);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(WeightsFile, TheContentDecidesWhateverTheName) {
  const ScratchFolder scratch;
  const NetworkWeights safetensors = read_weights(
      vgg16(),
      write(scratch / "a.onnx", test::safetensors_file(test::torchvision_entries(made_up_weights().layers))));
  EXPECT_EQ(safetensors.identity, made_up_weights().identity);
  EXPECT_EQ(safetensors.format, "safetensors");
  const NetworkWeights onnx = read_weights(
      vgg16(), write(scratch / "b.h5", test::onnx_file(test::torch_model(made_up_weights().layers))));
  EXPECT_EQ(onnx.identity, made_up_weights().identity);
  EXPECT_EQ(onnx.format, "ONNX, by pytorch");
  fs::create_symlink(test::source_path("models/vgg16_imagenet_notop.h5"), scratch / "c.safetensors");
  const NetworkWeights keras = read_weights(vgg16(), scratch / "c.safetensors");
  EXPECT_EQ(keras.identity.hex(), kEmbeddedWeightsIdentity);
  EXPECT_EQ(keras.format, "Keras .h5");
}

TEST(WeightsFile, EachKnownNetworkIsReadAndIsRefusedForTheOther) {
  const ScratchFolder scratch;
  for (const Network& network : known_networks()) {
    SCOPED_TRACE(network.name);
    const NetworkWeights& made = made_up_weights(network);
    const fs::path safetensors =
        write(scratch / (network.name + ".safetensors"),
              test::safetensors_file(test::torchvision_entries(made.layers, "features.", network)));
    const fs::path onnx =
        write(scratch / (network.name + ".onnx"), test::onnx_file(test::torch_model(made.layers, network)));
    for (const fs::path& file : {safetensors, onnx}) {
      const NetworkWeights read = read_weights(network, file);
      EXPECT_EQ(read.identity, made.identity);
      EXPECT_EQ(read.network, network);
      for (const Network& other : known_networks()) {
        if (other == network) continue;
        EXPECT_THAT(refusal_of(file, other), AllOf(HasSubstr("weights do not fit " + other.title),
                                                   HasSubstr("it holds " + network.title +
                                                             "'s layers: pass --network " + network.name)));
      }
    }
  }
}

TEST(WeightsFile, FilesOfTorchSaveAreRefusedWithTheConversion) {
  using namespace std::literals;
  const ScratchFolder scratch;
  // A local zip header: signature, 22 bytes, the length of the name, that of nothing else, the name.
  const std::string zip = "PK\x03\x04" + std::string(22, '\0') + "\x0E\0\0\0"s + "vgg16/data.pkl";
  for (const fs::path& file :
       {write(scratch / "new.pth", zip), write(scratch / "old.pth", "\x80\x02\x8A\x0Al\xFC"sv)}) {
    EXPECT_THAT(refusal_of(file), AllOf(HasSubstr("torch.save"), HasSubstr("safetensors.torch.save_file"),
                                        HasSubstr(file.string())));
  }
}

TEST(WeightsFile, AKerasArchiveIsToldApartFromPytorchs) {
  using namespace std::literals;
  const ScratchFolder scratch;
  const std::string zip = "PK\x03\x04" + std::string(22, '\0') + "\x0D\0\0\0"s + "metadata.json/";
  EXPECT_THAT(refusal_of(write(scratch / "model.keras", zip)),
              AllOf(HasSubstr(".keras archive"), HasSubstr("model.save(")));
}

TEST(WeightsFile, WhatIsNoneOfThemIsRefused) {
  const ScratchFolder scratch;
  EXPECT_THAT(refusal_of(write(scratch / "notes.txt", "Dear diary")),
              HasSubstr("neither a .h5 file of Keras"));
  EXPECT_THAT(refusal_of(scratch / "missing.onnx"),
              AllOf(HasSubstr("missing.onnx"), HasSubstr("No such file")));
  EXPECT_THAT(refusal_of(scratch / "missing"), HasSubstr("does not exist"));
  EXPECT_THAT(refusal_of(scratch.path()), HasSubstr("not a regular file"));
}

TEST(WeightsFile, DamageAtTheStartLeavesTheExtensionToTell) {
  const ScratchFolder scratch;
  EXPECT_THAT(refusal_of(write(scratch / "a.onnx", "junk")),
              AllOf(HasSubstr("cannot read the weights"), HasSubstr("get an intact copy")));
  EXPECT_THAT(refusal_of(write(scratch / "a.safetensors", "junk")),
              HasSubstr("too short for a safetensors file"));
  EXPECT_THAT(refusal_of(write(scratch / "empty.onnx", "")), HasSubstr("is empty"));
}

TEST(WeightsFile, LargerFilesThanTheLimitAreNotRead) {
  const ScratchFolder scratch;
  const fs::path file = write(scratch / "large.onnx", "\x08\x08");
  fs::resize_file(file, kMaxWeightsFileBytes + 1);  // sparse
  EXPECT_THAT(refusal_of(file), HasSubstr("more than the limit"));
}

}  // namespace
}  // namespace headstart
