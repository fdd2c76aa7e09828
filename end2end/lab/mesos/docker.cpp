// The work of mesos-docker-executor: one container, by Docker's command line, with
// the words that Mesos 1.11 uses for it (src/docker/docker.cpp, Docker::RunOptions).
//
// What one could get wrong: `docker run` without --rm leaves the container behind,
// as it does in Mesos, where the agent removes it (docker_remove_delay); a stop
// before Docker knows the name stops nothing, so it waits for the first look at it;
// HTTP and TCP checks are made inside the container's network, which is entered by
// a thread, because the next update to the agent must not leave from in there.
//
// Not here: GPUs, default DNS, limits other than requests; the status carries the
// container's address, but not all that `docker inspect` says.
#include "task.hpp"
#include "work.hpp"
#include <fcntl.h>
#include <map>
#include <sched.h>

namespace {
using Words = std::vector<std::string>;
std::map<std::string, std::string> flags;
Json given_networks;
std::atomic<pid_t> inside{0};

Words docker(Words more) {
  Words words{flags["docker"], "-H", flags["docker_socket"]};
  if (words[2].find("://") == std::string::npos) words[2] = "unix://" + words[2];
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Runs it to its end; -1 if it takes longer than the seconds. `out` takes what it says;
// the task's own output must not.
int run(const Words& words, double limit, std::string* out = nullptr) {
  static const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  int ends[2];
  if (out && pipe2(ends, O_CLOEXEC)) return -1;
  const pid_t pid = spawn(words, out ? ends[1] : nowhere, nowhere);
  if (out) {
    close(ends[1]);
    char piece[16384];
    for (ssize_t n; (n = read(ends[0], piece, sizeof piece)) > 0;) out->append(piece, static_cast<size_t>(n));
    close(ends[0]);
  }
  int status = 0;
  return wait(pid, limit, status) ? status : -1;
}

std::string absolute(const std::string& path, const std::string& below) {
  return !path.empty() && path[0] == '/' ? path : below + "/" + path;
}

bool volume(const Json& one, bool by_driver, Words& words, std::string& driver, std::string& why) {
  const std::string mode = one["mode"].text == "RO" ? ":ro" : ":rw", host = one["host_path"].text;
  const std::string into = absolute(one["container_path"].text, flags["mapped_directory"]);
  const Json& named = one["source"]["docker_volume"];
  std::string from;
  if (one.has("host_path")) {
    from = by_driver ? host : absolute(host, flags["sandbox_directory"]);
  } else if (one["source"]["type"].text == "DOCKER_VOLUME") {
    from = named["name"].text;
    const std::string& wanted = named["driver"].text;
    if (!wanted.empty() && !driver.empty() && wanted != driver) return why = "Only one volume driver is supported", false;
    if (!wanted.empty()) driver = wanted;
  } else if (one.has("source")) {
    return true;
  } else {
    return why = "Host path or volume source is required", false;
  }
  words.insert(words.end(), {"-v", from + ":" + into + mode});
  return true;
}

bool port(const Json& mapping, const Json& resources, Words& words, std::string& why) {
  const double wanted = mapping["host_port"].number(0);
  bool found = false;
  for (const auto& resource : resources.parts)
    for (const auto& range : resource.second["ranges"]["range"].parts)
      found = found || (resource.second["name"].text == "ports" && wanted >= range.second["begin"].number(0) &&
                        wanted <= range.second["end"].number(0));
  if (!found) return why = "Port [" + mapping["host_port"].text + "] not included in resources", false;
  std::string text = mapping["host_port"].text + ":" + mapping["container_port"].text, protocol = mapping["protocol"].text;
  for (auto& c : protocol) c = static_cast<char>(tolower(c));
  words.insert(words.end(), {"-p", protocol.empty() ? text : text + "/" + protocol});
  return true;
}

bool options(const Json& task, Words& words, std::string& why) {
  const Json &container = task["container"], &info = container["docker"], &command = task["command"];
  double cpus = 0, mem = 0;
  std::string role;
  for (const auto& resource : task["resources"].parts) {
    const double amount = resource.second["scalar"]["value"].number(0);
    if (resource.second["name"].text == "cpus") cpus += amount;
    if (resource.second["name"].text == "mem") mem += amount;
    role = resource.second["allocation_info"]["role"].text;
  }
  words = {"run"};
  if (info["privileged"].yes(false)) words.push_back("--privileged");
  words.insert(words.end(), {"--cpu-shares", std::to_string(std::max(2L, static_cast<long>(cpus * 1024)))});
  if (flags["cgroups_enable_cfs"] == "true")
    words.insert(words.end(), {"--cpu-quota", std::to_string(std::max(1000L, static_cast<long>(cpus * 100000)))});
  words.insert(words.end(), {"--memory", std::to_string(static_cast<long>(std::max(mem, 32.0) * 1048576))});
  std::map<std::string, std::string> variables;
  for (const auto& one : command["environment"]["variables"].parts)
    variables[one.second["name"].text] = one.second["value"].text;
  for (const auto& one : Json::read(flags["task_environment"]).parts) variables[one.first] = one.second.text;
  variables["MESOS_SANDBOX"] = flags["mapped_directory"];
  variables["MESOS_CONTAINER_NAME"] = flags["container"];
  variables["MESOS_ALLOCATION_ROLE"] = role;
  for (const auto& one : variables) words.insert(words.end(), {"-e", one.first + "=" + one.second});
  std::string driver = info["volume_driver"].text;
  for (const auto& one : container["volumes"].parts)
    if (!volume(one.second, info.has("volume_driver"), words, driver, why)) return false;
  words.insert(words.end(), {"-v", flags["sandbox_directory"] + ":" + flags["mapped_directory"]});
  if (!driver.empty()) words.push_back("--volume-driver=" + driver);

  const std::string mode = info.has("network") ? info["network"].text : "HOST";
  const Json& infos = container["network_infos"];
  if (mode == "USER" && (infos.parts.size() != 1 || !infos.parts[0].second.has("name")))
    return why = "Exactly one named network is needed for a user network", false;
  std::string network = mode == "USER" ? infos.parts[0].second["name"].text : mode;
  if (mode != "USER")
    for (auto& c : network) c = static_cast<char>(tolower(c));
  words.insert(words.end(), {"--net", network});
  given_networks = infos;
  if (container.has("hostname")) words.insert(words.end(), {"--hostname", container["hostname"].text});
  const Json& mappings = info["port_mappings"];
  if (!mappings.parts.empty() && (mode == "HOST" || mode == "NONE"))
    return why = "Port mappings are only supported for bridge and user-defined networks", false;
  for (const auto& one : mappings.parts)
    if (!port(one.second, task["resources"], words, why)) return false;
  const bool shell = command["shell"].yes(true);
  if (shell && !command.has("value")) return why = "Shell specified but no command value provided", false;
  if (shell) words.insert(words.end(), {"--entrypoint", "/bin/sh"});
  words.insert(words.end(), {"--name", flags["container"]});
  for (const auto& one : info["parameters"].parts)
    words.push_back("--" + one.second["key"].text + "=" + one.second["value"].text);
  words.push_back(info["image"].text);
  if (shell) words.push_back("-c");
  if (command.has("value")) words.push_back(command["value"].text);
  if (!shell)
    for (const auto& one : command["arguments"].parts) words.push_back(one.second.text);
  return true;
}

// The addresses that it has on its network, as a NetworkInfo.
Json network_info(const Json& settings) {
  Json info = given_networks.parts.empty() ? Json::object({}) : given_networks.parts[0].second;
  std::vector<Json> addresses;
  for (const auto& network : settings["Networks"].parts) {
    for (const auto& field : {std::make_pair("IPAddress", "IPv4"), std::make_pair("GlobalIPv6Address", "IPv6")}) {
      const std::string& text = network.second[field.first].text;
      if (text.empty()) continue;
      addresses.push_back(
          Json::object({{"protocol", Json::string(field.second)}, {"ip_address", Json::string(text)}}));
    }
  }
  if (addresses.empty()) return {};
  info.set("ip_addresses", Json::array(addresses));
  return info;
}
}  // namespace

void work::begin(int argc, char** argv) {
  flags = arguments(argc, argv);
  for (const char* name : {"container", "docker", "docker_socket", "sandbox_directory", "mapped_directory"}) {
    if (!flags[name].empty()) continue;
    fprintf(stderr, "mesos-docker-executor: Missing required option --%s\n", name);
    _exit(1);
  }
}

pid_t work::start(const Json& task, std::string& why) {
  Words words;
  if (options(task, words, why)) return spawn(docker(words), -1, -1);
  why = "Failed to create docker run options: " + why;
  return -1;
}

bool work::running(const std::atomic<bool>& ended, Json& status) {
  for (;;) {
    std::string out;
    const bool over = ended;  // before the look: one after the end is enough
    if (run(docker({"inspect", "--type=container", flags["container"]}), 5, &out) == 0) {
      const Json all = Json::read(out);
      const Json& found = all.parts.empty() ? all : all.parts[0].second;
      if (found["State"]["StartedAt"].text.compare(0, 5, "0001-")) {
        inside = static_cast<pid_t>(found["State"]["Pid"].number(0));
        Json info = network_info(found["NetworkSettings"]);
        if (info.kind) status = Json::object({{"network_infos", Json::array({info})}});
        return true;
      }
    }
    if (over) return false;
    std::this_thread::sleep_for(seconds(0.5));
  }
}

void work::stop(double grace) {
  const Words words = docker({"stop", "-t", std::to_string(static_cast<long>(grace)), flags["container"]});
  // Whoever asked has the lock, and Docker takes its time.
  std::thread([words, grace] { run(words, grace + 60); }).detach();
}

void work::kill() {
  const Words words = docker({"kill", flags["container"]});
  std::thread([words] { run(words, 60); }).detach();
}

bool work::healthy(const Json& check) {
  const std::string& type = check["type"].text;
  if (type != "TCP" && type != "HTTP") {
    const Json& command = check["command"];
    Words words = docker({"exec", flags["container"]});
    if (command["shell"].yes(true)) {
      words.insert(words.end(), {"sh", "-c", command["value"].text});
    } else {
      words.push_back(command["value"].text);
      for (const auto& word : command["arguments"].parts) words.push_back(word.second.text);
    }
    return run(words, check["timeout_seconds"].number(20)) == 0;
  }
  bool good = false;
  std::thread([&] {
    const std::string path = "/proc/" + std::to_string(inside) + "/ns/net";
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    good = fd >= 0 && setns(fd, CLONE_NEWNET) == 0 && ::healthy(check);
    if (fd >= 0) close(fd);
  }).join();
  return good;
}

// Not here.
Json work::checked(const Json&, bool) { return {}; }

std::string work::ended(int status) { return "Container " + ::ended(status); }
