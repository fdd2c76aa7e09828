// The work of mesos-executor: a command in a session of its own, in the file system of
// an image if the agent has made one ready (`--rootfs`). What the image says of the
// command, its environment and its folder comes in flags, too.
#include "task.hpp"
#include "work.hpp"

static std::map<std::string, std::string> flags;
static Place place;
static pid_t leader;

void work::begin(int argc, char** argv) {
  flags = arguments(argc, argv);
  const std::string inside = flags["working_directory"];
  place = {flags["rootfs"], inside.empty() ? flags["sandbox_directory"] : inside, Json::read(flags["task_environment"])};
}
pid_t work::start(const Json& task, std::string&) {
  if (flags["task_command"].empty()) return leader = ::start(task["command"], place);
  // The image's own; what was asked for besides is its environment.
  Json command = Json::read(flags["task_command"]);
  if (!command.has("environment")) command.set("environment", task["command"]["environment"]);
  return leader = ::start(command, place);
}
bool work::running(const std::atomic<bool>&, Json&) { return true; }
void work::stop(double) { ::kill(-leader, SIGTERM); }
void work::kill() { ::kill(-leader, SIGKILL); }
bool work::healthy(const Json& check) { return ::healthy(check, place); }
Json work::checked(const Json& check, bool ask) { return ::checked(check, place, ask); }
std::string work::ended(int status) { return "Command " + ::ended(status); }
