// The task's processes: start, ask after its health, end.
#pragma once
#include "http.hpp"
#include "json.hpp"
#include <csignal>
#include <chrono>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using Clock = std::chrono::steady_clock;
inline std::chrono::nanoseconds seconds(double s) { return std::chrono::nanoseconds(static_cast<int64_t>(s * 1e9)); }

// Where a command runs: a root, a folder in it, and variables that it finds there.
struct Place {
  std::string root, folder;
  Json environment;
};

// Starts a CommandInfo in a session of its own, so that all of it can be signalled.
inline pid_t start(const Json& command, const Place& place) {
  std::vector<std::string> words;
  const bool shell = command["shell"].yes(true);
  if (shell) {
    words = {"sh", "-c", command["value"].text};
  } else {
    for (const auto& word : command["arguments"].parts) words.push_back(word.second.text);
    if (words.empty()) words.push_back(command["value"].text);
  }
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid) return pid;
  setsid();
  if (!place.root.empty() && (chroot(place.root.c_str()) || chdir(place.folder.c_str()))) {
    perror(place.root.c_str());
    _exit(127);
  }
  // What the task says goes over what the image says.
  for (const auto& variable : place.environment["variables"].parts)
    setenv(variable.second["name"].text.c_str(), variable.second["value"].text.c_str(), 1);
  for (const auto& variable : command["environment"]["variables"].parts)
    setenv(variable.second["name"].text.c_str(), variable.second["value"].text.c_str(), 1);
  execvp(shell ? "/bin/sh" : command["value"].text.c_str(), arguments.data());
  perror(words[0].c_str());
  _exit(127);
}

// The same of a program and its arguments; `out` and `err` take what it says, -1: as ours.
inline pid_t spawn(const std::vector<std::string>& words, int out, int err) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid) return pid;
  setsid();
  if (out >= 0) dup2(out, 1);
  if (err >= 0) dup2(err, 2);
  execvp(arguments[0], arguments.data());
  perror(arguments[0]);
  _exit(127);
}

// Waits for its end; false: it took too long and was killed.
inline bool wait(pid_t pid, double limit, int& status) {
  const auto until = Clock::now() + seconds(limit);
  // There is no waitpid with a deadline.
  for (auto step = seconds(0.001); waitpid(pid, &status, WNOHANG) == 0; step = std::min(step * 2, seconds(0.1))) {
    if (Clock::now() > until) {
      kill(-pid, SIGKILL);
      waitpid(pid, &status, 0);
      return false;
    }
    std::this_thread::sleep_for(step);
  }
  return true;
}

// What the agent's own executors say of a status of waitpid.
inline std::string ended(int status) {
  if (WIFEXITED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
  return std::string("terminated with signal ") + strsignal(WTERMSIG(status));
}

inline bool connects(const Json& tcp, double limit) {
  const int fd = dial("127.0.0.1", static_cast<int>(tcp["port"].number(0)), limit);
  if (fd >= 0) close(fd);
  return fd >= 0;
}
// The status; 0 or less: no answer.
inline int answer(const Json& http, double limit) {
  Exchange exchange("127.0.0.1", static_cast<int>(http["port"].number(0)), limit);
  const std::string path = http.has("path") ? http["path"].text : "/";
  return exchange.ask("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
}

inline bool healthy(const Json& check, const Place& place = {}) {
  const double limit = check["timeout_seconds"].number(20);
  const std::string& type = check["type"].text;
  if (type == "TCP") return connects(check["tcp"], limit);
  if (type == "HTTP") {
    const int status = answer(check["http"], limit);
    return status >= 200 && status < 400;
  }
  int status = 0;
  return wait(start(check["command"], place), limit, status) && status == 0;
}

// What a check tells: its CheckStatusInfo, with an empty part while it tells nothing.
inline Json checked(const Json& check, const Place& place, bool ask) {
  const double limit = check["timeout_seconds"].number(20);
  const std::string& type = check["type"].text;
  Json part = Json::object({});
  int status = 0;
  if (type == "TCP") {
    if (ask) part.set("succeeded", Json::plain(connects(check["tcp"], limit) ? "true" : "false"));
    return Json::object({{"type", check["type"]}, {"tcp", part}});
  }
  if (type == "HTTP") {
    if (ask && (status = answer(check["http"], limit)) > 0) part.set("status_code", Json::plain(std::to_string(status)));
    return Json::object({{"type", check["type"]}, {"http", part}});
  }
  if (ask && wait(start(check["command"]["command"], place), limit, status) && WIFEXITED(status))
    part.set("exit_code", Json::plain(std::to_string(WEXITSTATUS(status))));
  return Json::object({{"type", check["type"]}, {"command", part}});
}
