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
//
// With an image (`filesystem/linux`, launcher `linux`) it is born in a mount namespace
// of its own and makes the mounts that it is told; the agent has another program show
// the machine's names in there (`network-cni-setup`), which is this one, too. Masked
// paths and capabilities are left out: they protect the machine from an image.
#include "json.hpp"
#include "work.hpp"
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
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

[[noreturn]] static void stop(const std::string& what) {
  perror(("mesos-containerizer: " + what).c_str());
  _exit(1);
}

// A folder with those above it, or an empty file, unless it is there.
static void make(const std::string& path, bool folder) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    mkdir(path.substr(0, slash).c_str(), 0755);
  struct stat there;
  if (!stat(path.c_str(), &there)) return;
  const int fd = folder ? mkdir(path.c_str(), 0755) : open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) stop(path);
  if (!folder) close(fd);
}

static void mounts(const Json& info) {
  if (info["mounts"].parts.empty()) return;
  // What is mounted here stays here.
  if (mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr)) stop("/");
  for (const auto& part : info["mounts"].parts) {
    const Json& one = part.second;
    const std::string &from = one["source"].text, &to = one["target"].text;
    struct stat seen;
    const bool there = !stat(from.c_str(), &seen);
    // Protects a path of /proc from being written: not every kernel has all of them.
    if (!there && from == to) continue;
    make(to, !there || S_ISDIR(seen.st_mode));
    const char* kind = one.has("type") ? one["type"].text.c_str() : nullptr;
    const char* options = one.has("options") ? one["options"].text.c_str() : nullptr;
    if (mount(from.empty() ? nullptr : from.c_str(), to.c_str(), kind,
              static_cast<unsigned long>(one["flags"].number(0)), options))
      stop("mount " + to);
  }
  for (const auto& part : info["file_operations"].parts) {
    const Json& link = part.second["symlink"];
    if (part.second["operation"].text != "SYMLINK") stop("cannot do: " + part.second["operation"].text);
    if (symlink(link["source"].text.c_str(), link["target"].text.c_str()) && errno != EEXIST) stop(link["target"].text);
  }
}

// The machine's names, in the root of a container that shares its network.
static int names(int argc, char** argv) {
  auto flags = arguments(argc, argv);
  if (flags["rootfs"].empty()) return 0;
  const int other = open(("/proc/" + flags["pid"] + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC);
  if (other < 0 || setns(other, CLONE_NEWNS)) stop("the container's mounts");
  for (const char* flag : {"etc_hosts_path", "etc_hostname_path", "etc_resolv_conf"}) {
    const std::string& own = flags[flag];
    struct stat there;
    if (own.empty() || stat(own.c_str(), &there)) continue;
    const std::string inside = flags["rootfs"] + "/etc" + own.substr(own.find_last_of('/'));
    make(inside, false);
    if (mount(own.c_str(), inside.c_str(), nullptr, MS_BIND, nullptr)) stop("mount " + inside);
  }
  return 0;
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
  if (argc > 1 && !strcmp(argv[1], "network-cni-setup")) return names(argc, argv);
  if (argc < 2 || strcmp(argv[1], "launch")) {
    fprintf(stderr, "mesos-containerizer: neither `launch` nor `network-cni-setup`\n");
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
  mounts(info);
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
