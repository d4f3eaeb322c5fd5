// pipeline/process/console.cpp
#include "pipeline/process/console.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace headstart {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kLineEvery{10};

std::size_t terminal_columns(std::FILE* out) {
  winsize size{};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

bool is_terminal(std::FILE* out) {
  const char* type = std::getenv("TERM");
  return isatty(fileno(out)) != 0 && type != nullptr && std::string_view(type) != "dumb";
}

}  // namespace

Console::Console(Verbosity verbosity) : Console(verbosity, is_terminal(stderr), stderr) {}

Console::Console(Verbosity verbosity, bool terminal, std::FILE* out)
    : verbosity_(verbosity), terminal_(terminal), out_(out) {}

Console::~Console() { wipe(); }

/// Throws nothing: a log that can't be written, as on a full disk, must not end its run.
void Console::put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), out_); }

void Console::wipe() {
  if (bar_.empty()) return;
  put("\r\x1b[K");
  std::fflush(out_);
  bar_.clear();
}

void Console::line(std::string_view prefix, std::string_view text) {
  const std::string bar = bar_;
  wipe();
  put(fmt::format("{}{}\n", prefix, text));
  if (!bar.empty()) {
    put(fmt::format("\r{}", bar));
    bar_ = bar;
  }
  std::fflush(out_);
}

void Console::detail(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (verbosity_ == Verbosity::kVerbose) line("", text);
}

void Console::note(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (verbosity_ > Verbosity::kQuiet) line("", text);
}

void Console::warn(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (verbosity_ != Verbosity::kSilent) line("headstart: warning: ", text);
}

std::optional<double> Console::due(std::string_view stage) {
  const auto now = Clock::now();
  if (stage_ != stage) {
    stage_ = stage;
    stage_start_ = now;
    last_shown_ = now;
  }
  if (now - last_shown_ < (terminal_ ? Clock::duration(kRedraw) : Clock::duration(kLineEvery)))
    return std::nullopt;
  last_shown_ = now;
  return std::chrono::duration<double>(now - stage_start_).count();
}

void Console::progress(std::string_view stage, std::uint64_t done, std::uint64_t total, std::string_view unit,
                       std::string_view extra) {
  if (verbosity_ <= Verbosity::kQuiet || total == 0) return;
  const std::lock_guard lock(mutex_);
  const std::optional<double> elapsed = due(stage);
  if (!elapsed) return;
  const double rate = *elapsed > 0.0 ? static_cast<double>(done) / *elapsed : 0.0;
  const std::string left =
      rate > 0.0 ? format_duration(static_cast<double>(total - std::min(done, total)) / rate) + " left" : "";
  std::string text = fmt::format("{}/{} {}, {:.1f}/s, {}", done, total, unit, rate, left);
  if (!extra.empty()) text += fmt::format(", {}", extra);
  show(stage, static_cast<double>(std::min(done, total)) / static_cast<double>(total), text);
}

void Console::progress(std::string_view stage, double share, std::string_view extra) {
  if (verbosity_ <= Verbosity::kQuiet) return;
  const std::lock_guard lock(mutex_);
  const std::optional<double> elapsed = due(stage);
  if (!elapsed) return;
  const double done = std::clamp(share, 0.0, 1.0);
  std::string text = fmt::format("{:.0f} %", 100.0 * done);
  if (done > 0.0) text += fmt::format(", {} left", format_duration(*elapsed * (1.0 - done) / done));
  if (!extra.empty()) text += fmt::format(", {}", extra);
  show(stage, done, text);
}

void Console::show(std::string_view stage, double share, const std::string& text) {
  if (!terminal_) {
    line("", fmt::format("{}: {}", stage, text));
    return;
  }
  const std::size_t columns = terminal_columns(out_);
  const std::size_t used = stage.size() + text.size() + 6;
  std::string bar = fmt::format("{} ", stage);
  if (columns > used + 10) {
    const std::size_t cells = std::min<std::size_t>(columns - used, 30);
    const auto full = static_cast<std::size_t>(static_cast<double>(cells) * share);
    bar += fmt::format("[{}{}] ", std::string(full, '#'), std::string(cells - full, '.'));
  }
  bar += text;
  bar.resize(std::min(bar.size(), columns - 1));
  wipe();
  put(fmt::format("\r{}", bar));
  std::fflush(out_);
  bar_ = bar;
}

void Console::hide_progress() {
  const std::lock_guard lock(mutex_);
  wipe();
}

void Console::progress_done() {
  const std::lock_guard lock(mutex_);
  wipe();
  stage_.clear();
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole % 3600 / 60);
}

std::string format_bytes(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= 1'000'000'000) return fmt::format("{:.1f} GB", value / 1e9);
  if (bytes >= 1'000'000) return fmt::format("{:.1f} MB", value / 1e6);
  if (bytes >= 1'000) return fmt::format("{:.1f} kB", value / 1e3);
  return fmt::format("{} bytes", bytes);
}

}  // namespace headstart
