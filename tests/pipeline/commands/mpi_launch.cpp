// tests/pipeline/commands/mpi_launch.cpp
#include "tests/pipeline/commands/mpi_launch.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTimeLimit = "120";  // seconds

/// The program's path; empty if it is not on PATH.
std::string find_program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder) / name;
    std::error_code error;
    if (fs::is_regular_file(program, error) && access(program.c_str(), X_OK) == 0) return program.string();
  }
  return {};
}

/// A blank and the word, as a shell reads it.
std::string quoted(const std::string& word) {
  std::string text = " '";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string no_mpirun() {
  if (find_program("mpirun").empty()) return "mpirun is not on PATH";
  if (headstart_process({"info"}).out.find("Open MPI") == std::string::npos)
    return "this build has no Open MPI";
  const ProcessResult idle =
      run_process({find_program("mpirun"), "--allow-run-as-root", "--oversubscribe", "-n", "2", "true"});
  return idle.exit_code == 0 ? "" : "mpirun starts no process here: " + idle.err;
}

ProcessResult launch(const std::vector<std::pair<int, std::vector<std::string>>>& programs,
                     const ProcessOptions& options, const std::vector<std::string>& more) {
  std::vector<std::string> command{find_program("mpirun"), "--allow-run-as-root", "--oversubscribe",
                                   "--timeout", kTimeLimit};
  command.insert(command.end(), more.begin(), more.end());
  int all = 0;
  std::string choices;  // by rank: the mpirun of Open MPI 5.0.7 crashes where ":" parts several programs
  for (const auto& [processes, arguments] : programs) {
    all += processes;
    choices += "[ $OMPI_COMM_WORLD_RANK -ge " + std::to_string(all) + " ] || exec";
    choices += quoted(HEADSTART_BINARY);
    for (const std::string& word : arguments) choices += quoted(word);
    choices += "\n";
  }
  command.insert(command.end(), {"-n", std::to_string(all)});
  if (programs.size() == 1) {
    command.emplace_back(HEADSTART_BINARY);
    command.insert(command.end(), programs.front().second.begin(), programs.front().second.end());
  } else {
    command.insert(command.end(), {"sh", "-c", choices});
  }
  return run_process(command, options);
}

bool others_go_on_without_a_dead_rank() {
  return headstart_process({"info"}).out.find("Open MPI v4") != std::string::npos;
}

std::vector<int> headstarts_of(int parent) {
  std::vector<int> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    std::ifstream stat(entry.path() / "stat");  // "PID (NAME) STATE PARENT ..."
    std::string number;
    std::string program;
    std::string state;
    int its_parent = 0;
    if (stat >> number >> program >> state >> its_parent && its_parent == parent && program == "(headstart)")
      children.push_back(pid);
  }
  std::sort(children.begin(), children.end());
  return children;
}

std::vector<int> wait_for_headstarts_of(int parent, std::size_t count) {
  std::vector<int> running;
  for (int i = 0; i < 1000 && running.size() < count; ++i) {
    usleep(10'000);
    running = headstarts_of(parent);
  }
  return running;
}

}  // namespace headstart::test
