// tests/pipeline/process/interrupt_test.cpp: Ctrl-C, each time in a process of its own.
#include "pipeline/process/interrupt.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

namespace headstart {
namespace {

using namespace std::chrono_literals;

constexpr int kEnded = 7;  // by itself

class InterruptTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

void hang() {
  while (true) std::this_thread::sleep_for(1h);
}

using InterruptDeathTest = InterruptTest;

TEST_F(InterruptDeathTest, WhatCannotPollIsEnded) {
  EXPECT_EXIT(
      {
        catch_interrupts();
        const InterruptDeadline deadline;
        raise(SIGINT);
        hang();
      },
      testing::ExitedWithCode(130), "^headstart: interrupted: .*\n$");
}

TEST_F(InterruptDeathTest, WhatIsBeingMadeSafeIsWaitedForAndThenMayLeave) {
  EXPECT_EXIT(
      {
        catch_interrupts();
        const InterruptDeadline deadline;
        raise(SIGTERM);
        {
          const Finishing finishing;
          std::this_thread::sleep_for(2500ms);
        }
        std::this_thread::sleep_for(100ms);
        _exit(kEnded);
      },
      testing::ExitedWithCode(kEnded), "^$");
  EXPECT_EXIT(
      {
        catch_interrupts();
        const InterruptDeadline deadline;
        raise(SIGINT);
        {
          const Finishing finishing;
          std::this_thread::sleep_for(2500ms);
          std::fputs("made safe\n", stderr);
        }
        hang();
      },
      testing::ExitedWithCode(130), "made safe\nheadstart: interrupted");
}

TEST_F(InterruptDeathTest, ARunThatEndsInTimeIsNotDisturbed) {
  EXPECT_EXIT(
      {
        catch_interrupts();
        {
          const InterruptDeadline deadline;
          raise(SIGINT);
          std::this_thread::sleep_for(100ms);
        }
        std::this_thread::sleep_for(2500ms);
        _exit(kEnded);
      },
      testing::ExitedWithCode(kEnded), "^$");
}

TEST_F(InterruptDeathTest, TheSecondSignalKills) {
  EXPECT_EXIT(
      {
        catch_interrupts();
        raise(SIGINT);
        raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST_F(InterruptDeathTest, ACancellationMayComeLaterThanTheSignal) {
  EXPECT_EXIT(
      {
        catch_interrupts();
        on_interrupt().check();
        raise(SIGINT);
        const Cancellation later = on_interrupt(1h);
        later.check();
        try {
          on_interrupt().check();
        } catch (const Cancelled&) {
          std::this_thread::sleep_for(30ms);
          try {
            on_interrupt(10ms).check();
          } catch (const Cancelled&) {
            _exit(kEnded);
          }
        }
      },
      testing::ExitedWithCode(kEnded), "");
}

}  // namespace
}  // namespace headstart
