// tests/fuzz/checkpoint_fuzzer.cpp: a checkpoint that says anything, its digest put right, ends as a state
// that writes back to itself, or as a reason.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "data/sha256.hpp"
#include "pipeline/run/checkpoint.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/named_file.hpp"

namespace {

using headstart::Checkpoint;
using headstart::Dense;
using headstart::fuzz::expect;
using headstart::fuzz::MemoryFile;
using headstart::fuzz::NamedFile;

constexpr std::string_view kMagic = "headstart checkpoint 1\n\n";
constexpr std::uint64_t kMostBytes = 1U << 20U;

/// The whole file, its digest right. What comes after the magic is the input as it is, or a header and arrays
/// that the input gives, laid out as a writer would.
std::vector<std::uint8_t> file_of(FuzzedDataProvider& data) {
  std::vector<std::uint8_t> bytes(kMagic.begin(), kMagic.end());
  const auto align = [&bytes](std::uint8_t filling) { bytes.resize((bytes.size() + 63) / 64 * 64, filling); };
  if (!data.ConsumeBool()) {
    const std::string header = data.ConsumeRandomLengthString();
    bytes.resize(bytes.size() + sizeof(std::uint64_t));
    bytes.insert(bytes.end(), header.begin(), header.end());
    align(' ');
    const std::uint64_t length = bytes.size() - kMagic.size() - sizeof(std::uint64_t);
    std::memcpy(&bytes[kMagic.size()], &length, sizeof(length));
  }
  const std::vector<std::uint8_t> rest = data.ConsumeRemainingBytes<std::uint8_t>();
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  align(0);
  const headstart::Sha256 digest = headstart::sha256(std::as_bytes(std::span(bytes)));
  bytes.insert(bytes.end(), digest.bytes.begin(), digest.bytes.end());
  return bytes;
}

bool same(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

bool same(std::span<const Dense> a, std::span<const Dense> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto floats = [](const auto& matrix) {
      return std::span(matrix.data(), static_cast<std::size_t>(matrix.size()));
    };
    if (a[i].kernel.rows() != b[i].kernel.rows() || !same(floats(a[i].kernel), floats(b[i].kernel)) ||
        !same(floats(a[i].bias), floats(b[i].bias)))
      return false;
  }
  return true;
}

void check(const Checkpoint& checkpoint) {
  const NamedFile file("checkpoint");  // a file in memory can't be replaced whole, as writing does
  headstart::write_checkpoint(file.path(), checkpoint.identity, checkpoint.solver, checkpoint.state());
  const auto read_again = headstart::read_checkpoint(file.path(), 2 * kMostBytes);
  expect(std::holds_alternative<Checkpoint>(read_again), "a checkpoint is read again");
  const auto& again = std::get<Checkpoint>(read_again);
  const headstart::TrainingState state = checkpoint.state();
  const headstart::TrainingState state_again = again.state();
  expect(again.identity == checkpoint.identity, "an identity comes back");
  expect(again.solver == checkpoint.solver && again.epochs() == checkpoint.epochs(), "a run goes on");
  expect(same(state.layers, state_again.layers) && same(state.velocities, state_again.velocities) &&
             same(state.best, state_again.best),
         "layers come back");
  expect(state.first.arrays.size() == state_again.first.arrays.size(), "arrays come back");
  for (std::size_t i = 0; i < state.first.arrays.size(); ++i)
    expect(same(state.first.arrays[i], state_again.first.arrays[i]), "an array comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider provider(data, size);
  const auto result = headstart::read_checkpoint(MemoryFile(file_of(provider)).path(), kMostBytes);
  if (const auto* const checkpoint = std::get_if<Checkpoint>(&result)) check(*checkpoint);
  return 0;
}
