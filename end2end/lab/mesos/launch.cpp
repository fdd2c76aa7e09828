// Stands in for `mesos-containerizer launch`: becomes a container's first process.
//
// Why: the agent starts this for every task, and the real one would link all of
// libmesos (a tenth of a second of processor time each). The agent hands over
// what to start in MESOS_CONTAINERIZER_LAUNCH_INFO and two ends of a pipe; it
// writes one byte once the container is isolated. How the command ended is left in
// the runtime folder, where an agent looks that was restarted meanwhile.
//
// In a "local" cluster the agent does not redirect a container's output, so this
// writes it to the sandbox, where the agent's files API expects it. The user is
// not changed: the tests run as one.
#include "json.hpp"
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static void forward(int number) { kill(child, number); }

static void redirect(const std::string& file, int fd) {
  const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (opened >= 0 && opened != fd) {
    dup2(opened, fd);
    close(opened);
  }
}

static std::string given(const char* name) {
  const char* value = getenv((std::string("MESOS_CONTAINERIZER_") + name).c_str());
  return value ? value : "";
}

[[noreturn]] static void become(const Json& info) {
  const Json& command = info["command"];
  std::vector<std::string> variables;
  bool path = false;
  for (const auto& variable : info["environment"]["variables"].parts) {
    const std::string& name = variable.second["name"].text;
    path = path || name == "PATH";
    variables.push_back(name + "=" + variable.second["value"].text);
  }
  if (!path) variables.push_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  std::vector<std::string> words;
  if (command["shell"].yes(true)) {
    words = {"sh", "-c", command["value"].text};
  } else {
    for (const auto& word : command["arguments"].parts) words.push_back(word.second.text);
    if (words.empty()) words.push_back(command["value"].text);
  }
  std::vector<char*> environment, arguments;
  for (auto& variable : variables) environment.push_back(variable.data());
  for (auto& word : words) arguments.push_back(word.data());
  environment.push_back(nullptr);
  arguments.push_back(nullptr);
  execve(command["shell"].yes(true) ? "/bin/sh" : command["value"].text.c_str(), arguments.data(), environment.data());
  perror("mesos-containerizer: cannot start the command");
  _exit(127);
}

int main(int argc, char** argv) {
  if (argc < 2 || strcmp(argv[1], "launch")) {
    fprintf(stderr, "mesos-containerizer: only `launch` is understood\n");
    return 1;
  }
  const Json info = Json::read(given("LAUNCH_INFO"));
  const std::string sandbox = info["working_directory"].text;
  redirect(sandbox + "/stdout", 1);
  redirect(sandbox + "/stderr", 2);

  const int status_file =
      given("RUNTIME_DIRECTORY").empty()
          ? -1
          : open((given("RUNTIME_DIRECTORY") + "/status").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  close(atoi(given("PIPE_WRITE").c_str()));
  const int pipe_read = atoi(given("PIPE_READ").c_str());
  char go;
  ssize_t n;
  while ((n = read(pipe_read, &go, 1)) < 0 && errno == EINTR) {
  }
  close(pipe_read);
  if (n != 1) return 1;  // the agent is gone, and nobody would know of this task
  if (chdir(sandbox.c_str())) {
    perror("mesos-containerizer: the sandbox is gone");
    return 1;
  }
  child = fork();
  if (child == 0) become(info);
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) signal(number, forward);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status_file >= 0) dprintf(status_file, "%d", status);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
