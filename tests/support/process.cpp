// tests/support/process.cpp
#include "tests/support/process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

void redirect(int descriptor, const std::string& file, int flags) {
  const int opened = open(file.c_str(), flags, 0600);
  if (opened < 0 || dup2(opened, descriptor) < 0) _exit(126);
  close(opened);
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  const ScratchFolder scratch;  // files rather than pipes: no deadlock however much is said
  const std::string in = (scratch / "in").string();
  const std::string out = (scratch / "out").string();
  const std::string err = (scratch / "err").string();
  std::ofstream(in) << options.input;
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    redirect(STDIN_FILENO, in, O_RDONLY);
    redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC);
    if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) _exit(126);
    for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
    if (options.before_exec) options.before_exec();
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  if (options.while_running) options.while_running(pid);
  int status = 0;
  waitpid(pid, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_text(out), read_text(err)};
}

ProcessResult headstart_process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  std::vector<std::string> all{HEADSTART_BINARY};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_process(all, options);
}

void wait_for_processor_time(int pid, double seconds) {
  const std::string file = "/proc/" + std::to_string(pid) + "/stat";
  const auto used = [&] {  // proc(5): utime and stime are fields 14 and 15; the name before may have blanks
    const std::string stat = read_text(file);
    std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
    std::string field;
    double ticks = 0.0;
    for (int number = 3; fields >> field; ++number) {
      if (number == 3 && field == "Z") return seconds;
      if (number == 14 || number == 15) ticks += std::stod(field);
    }
    return stat.empty() ? seconds : ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  };
  while (used() < seconds) usleep(20'000);
}

std::string read_text(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace headstart::test
