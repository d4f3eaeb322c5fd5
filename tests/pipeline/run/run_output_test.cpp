// tests/pipeline/run/run_output_test.cpp
#include "pipeline/run/run_output.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>

namespace headstart {
namespace {

/// What is said of a head with that cross-entropy and penalty on its training images, in four classes.
std::string said_of(double cross_entropy, double penalty) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  Console console(Verbosity::kNormal, false, file.get());
  Evaluated training;
  training.name = "training";
  training.metrics.metrics.cross_entropy = cross_entropy;
  training.metrics.l2_penalty = penalty;
  warn_of_absurd_loss({training}, 4, 0.2, console);
  std::rewind(file.get());
  std::string text(1000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

TEST(AbsurdLoss, IsOneThatIsWorseThanAGuessOfAHeadThatWasNotTrained) {
  EXPECT_EQ(said_of(0.01, 0.3), "");
  EXPECT_EQ(said_of(std::log(4.0), 0.2), "");
  for (const auto& [cross_entropy, penalty] :
       {std::pair{8e33, 0.2}, {0.01, 8e33}, {1.5, 0.3}, {std::numeric_limits<double>::infinity(), 0.0}}) {
    const std::string line = said_of(cross_entropy, penalty);
    EXPECT_EQ(line.find("headstart: warning: the head is worse than a guess"), 0U) << line;
    EXPECT_NE(line.find("lower --learning-rate"), std::string::npos) << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  }
  EXPECT_NE(said_of(8e33, 0.2).find("8e+33"), std::string::npos);
}

}  // namespace
}  // namespace headstart
