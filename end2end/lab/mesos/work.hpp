// What an executor does with its one task: a command of this machine (command.cpp) or
// a container of Docker (docker.cpp). executor.cpp speaks with the agent for both.
#pragma once
#include "json.hpp"
#include <atomic>
#include <map>
#include <string>
#include <sys/types.h>

// `--name=value`, as the agent writes all of them.
inline std::map<std::string, std::string> arguments(int argc, char** argv) {
  std::map<std::string, std::string> out;
  for (int i = 1; i < argc; i++) {
    const std::string word = argv[i];
    const auto equals = word.find('=');
    if (!word.compare(0, 2, "--") && equals != std::string::npos) out[word.substr(2, equals - 2)] = word.substr(equals + 1);
  }
  return out;
}

namespace work {
// The program's arguments.
void begin(int argc, char** argv);
// Starts it; the end of this process is the task's. -1: it can't be started, and why.
pid_t start(const Json& task, std::string& why);
// Waits until it runs and adds to `status` what is known then; false: it never ran.
bool running(const std::atomic<bool>& ended, Json& status);
// Asks it to end within a grace, or ends it at once.
void stop(double grace);
void kill();
bool healthy(const Json& check);
// What a check (that decides nothing) tells, or would if it were asked.
Json checked(const Json& check, bool ask);
// What waitpid's status says, in the words of the real executor.
std::string ended(int status);
}  // namespace work
