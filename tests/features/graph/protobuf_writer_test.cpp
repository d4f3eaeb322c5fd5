// tests/features/graph/protobuf_writer_test.cpp: the examples are those of protobuf.dev's page on the
// encoding; what else is written is read back by our own reader, which is held against that page too.
#include "features/graph/protobuf_writer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

#include "features/graph/protobuf_reader.hpp"

namespace headstart {
namespace {

using namespace std::string_view_literals;

std::string encoded(const ProtobufWriter& message) {
  std::string bytes;
  for (const std::span<const std::byte> part : message.parts())
    bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
  EXPECT_EQ(bytes.size(), message.size());
  return bytes;
}

TEST(ProtobufWriter, WritesWhatThePageShows) {
  ProtobufWriter message;
  message.number(1, 150);
  message.text(2, "testing");
  ProtobufWriter inner;
  inner.number(1, 150);
  message.message(3, std::move(inner));
  EXPECT_EQ(encoded(message), "\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01"sv);
}

TEST(ProtobufWriter, AnEmptyMessageHasNoBytes) {
  EXPECT_EQ(encoded(ProtobufWriter()), "");
  ProtobufWriter message;
  message.message(1, ProtobufWriter());
  EXPECT_EQ(encoded(message), "\x0a\x00"sv);
}

TEST(ProtobufWriter, NumbersOfEverySizeComeBack) {
  const std::array<std::int64_t, 7> numbers{
      0, 1, 127, 128, 1LL << 40, -1, std::numeric_limits<std::int64_t>::min()};
  ProtobufWriter message;
  for (const std::int64_t number : numbers) message.number(2000, number);
  const std::string bytes = encoded(message);
  ProtobufReader reader(std::as_bytes(std::span(bytes)));
  for (const std::int64_t number : numbers) {
    const auto field = reader.next();
    ASSERT_TRUE(field);
    EXPECT_EQ(field->number, 2000U);
    EXPECT_EQ(static_cast<std::int64_t>(field->value), number);
  }
  EXPECT_TRUE(reader.at_end());
}

TEST(ProtobufWriter, ViewsStandBetweenWhatIsCopied) {
  const std::string large(300, 'x');
  ProtobufWriter tensor;
  tensor.text(8, "name");
  tensor.view(9, std::as_bytes(std::span(large)));
  tensor.number(2, 1);
  ProtobufWriter graph;
  graph.text(2, "graph");
  graph.message(5, std::move(tensor));
  ProtobufWriter model;
  model.message(7, std::move(graph));
  model.number(1, 7);

  const std::string bytes = encoded(model);
  ProtobufReader reader(std::as_bytes(std::span(bytes)));
  ProtobufReader in_model(reader.next()->bytes);
  EXPECT_EQ(reader.next()->value, 7U);
  EXPECT_EQ(in_model.next()->text(), "graph");
  ProtobufReader in_graph(in_model.next()->bytes);
  EXPECT_TRUE(in_model.at_end());
  EXPECT_EQ(in_graph.next()->text(), "name");
  EXPECT_EQ(in_graph.next()->text(), large);
  EXPECT_EQ(in_graph.next()->value, 1U);
  EXPECT_TRUE(in_graph.at_end());
}

}  // namespace
}  // namespace headstart
