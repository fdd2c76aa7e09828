// Stands in for mesos-executor and mesos-docker-executor: runs one task over the v1
// executor API, whatever it is (work.hpp).
//
// Why: libmesos has no program for it, and one Python process for each of
// hundreds of tasks would be felt. It reports what the real one does: STARTING,
// RUNNING, health and checks by HTTP, TCP and COMMAND, KILLING, and the end in the same
// words. Unlike the real one it writes nothing to the task's stdout.
//
// What one could get wrong: an update counts only when it is acknowledged, so all
// others are sent again after the agent's restart; the executor must outlive the
// acknowledgement of the last one, or the agent reports the task as failed; and
// a failed health check counts from the first success or the grace period's end.
//
// Not here: pods, checks of Docker containers, task user, TLS.
#include "task.hpp"
#include "work.hpp"
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <sys/random.h>

namespace {
std::string variable(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}
const std::string endpoint = variable("MESOS_AGENT_ENDPOINT");
const std::string process = variable("MESOS_SLAVE_PID").substr(0, variable("MESOS_SLAVE_PID").find('@'));
const Json framework_id = Json::object({{"value", Json::string(variable("MESOS_FRAMEWORK_ID"))}});
const Json executor_id = Json::object({{"value", Json::string(variable("MESOS_EXECUTOR_ID"))}});
using Updates = std::vector<std::pair<std::string, Json>>;

std::mutex lock;
std::condition_variable changed;
Updates unacknowledged;  // by uuid, oldest first
Json task;               // the TaskInfo, until its first acknowledgement
Json task_id, policy;
Json about;              // its container, once it runs
Json told;               // what its check told last
pid_t pid;
bool launched, refused, started, killed, unfit, over, announces_kill;
std::atomic<bool> exited{false};  // the process; the task is over a little later
double given_grace;
Clock::time_point deadline = Clock::time_point::max();  // of a kill

std::string message(const char* type, const char* name, Json body) {
  Json call = Json::object({{"type", Json::string(type)}, {"framework_id", framework_id}, {"executor_id", executor_id}});
  call.set(name, std::move(body));
  const std::string text = call.write(), token = variable("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
  return "POST /" + process + "/api/v1/executor HTTP/1.1\r\nHost: " + endpoint +
         "\r\nContent-Type: application/json\r\nAccept: application/json\r\n" +
         (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") +
         "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}
std::string host() { return endpoint.substr(0, endpoint.find(':')); }
int port() { return atoi(endpoint.c_str() + endpoint.find(':') + 1); }

std::string uuid() {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) abort();
  bytes[6] = (bytes[6] & 0x0F) | 0x40;  // version 4 and the variant of RFC 4122:
  bytes[8] = (bytes[8] & 0x3F) | 0x80;  // the agent refuses others
  const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (int i = 0; i < 16; i += 3) {
    const unsigned three = bytes[i] << 16 | (i + 1 < 16 ? bytes[i + 1] << 8 : 0) | (i + 2 < 16 ? bytes[i + 2] : 0);
    for (int part = 0; part < 4; part++) out += i + part > 16 ? '=' : digits[three >> (18 - 6 * part) & 63];
  }
  return out;
}

// With the lock held, so that updates leave in the order in which they were made.
void update(const char* state, const std::string& words = "", Json health = {}, const char* reason = nullptr) {
  const std::string id = uuid();
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  Json status = Json::object({{"task_id", task_id}, {"executor_id", executor_id}, {"state", Json::string(state)},
                              {"source", Json::string("SOURCE_EXECUTOR")}, {"uuid", Json::string(id)},
                              {"timestamp", Json::plain(std::to_string(now))}});
  if (about.kind && !strcmp(state, "TASK_RUNNING")) status.set("container_status", about);
  if (told.kind) status.set("check_status", told);
  if (!words.empty()) status.set("message", Json::string(words));
  if (health.kind) status.set("healthy", std::move(health));
  if (reason) status.set("reason", Json::string(reason));
  const Json body = Json::object({{"status", std::move(status)}});
  unacknowledged.emplace_back(id, body);
  // Lost while the agent is away: it is sent again with the next subscription.
  Exchange(host(), port(), 10).ask(message("UPDATE", "update", body));
}

// With the lock held.
void announce_end() {
  if (announces_kill) update("TASK_KILLING");
  work::stop(given_grace);
}

// With the lock held. A second kill may only bring the end nearer.
void end_task(double grace) {
  if (!launched || over) return;
  deadline = std::min(deadline, Clock::now() + seconds(grace));
  given_grace = grace;
  changed.notify_all();
  if (killed) return;
  killed = true;
  if (started) announce_end();
}

double grace(const Json& wanted, double otherwise) {
  const Json& period = wanted["grace_period"];
  return period.has("nanoseconds") ? period["nanoseconds"].number(0) / 1e9 : otherwise;
}

void watch_health(Json check) {
  const auto begin = Clock::now();
  std::this_thread::sleep_for(seconds(check["delay_seconds"].number(15)));
  const auto lenient = begin + seconds(check["grace_period_seconds"].number(10));
  const double limit = check["consecutive_failures"].number(3);
  bool ever = false;
  int failures = 0;
  for (;;) {
    const bool good = work::healthy(check);
    std::unique_lock<std::mutex> held(lock);
    if (over || killed) return;
    const bool counts = good || ever || Clock::now() > lenient;
    if (good && (!ever || failures > 0))
      update("TASK_RUNNING", "", Json::plain("true"), "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
    ever = ever || counts;
    failures = good ? 0 : failures + counts;
    if (!good && counts)
      update("TASK_RUNNING", "", Json::plain("false"), "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
    if (limit > 0 && failures >= limit) {
      unfit = true;
      end_task(grace(policy, 3));
      return;
    }
    held.unlock();
    std::this_thread::sleep_for(seconds(check["interval_seconds"].number(10)));
  }
}

void watch_check(Json check) {
  std::this_thread::sleep_for(seconds(check["delay_seconds"].number(15)));
  for (;;) {
    Json seen = work::checked(check, true);
    {
      std::lock_guard<std::mutex> held(lock);
      if (over || killed) return;
      if (seen.write() != told.write()) {
        told = seen;
        update("TASK_RUNNING", "", {}, "REASON_TASK_CHECK_STATUS_UPDATED");
      }
    }
    std::this_thread::sleep_for(seconds(check["interval_seconds"].number(10)));
  }
}

void watch_deadline() {
  std::unique_lock<std::mutex> held(lock);
  while (!over) {
    if (deadline == Clock::time_point::max()) {
      changed.wait(held);
    } else if (changed.wait_until(held, deadline) == std::cv_status::timeout && !over && Clock::now() >= deadline) {
      work::kill();
      return;
    }
  }
}

void watch_start(Json check, Json asked) {
  Json seen;
  const bool runs = work::running(exited, seen);
  {
    std::lock_guard<std::mutex> held(lock);
    about = seen;
    if (runs && asked.kind) told = work::checked(asked, false);
    if (runs) update("TASK_RUNNING");
    started = true;
    changed.notify_all();
    if (killed) announce_end();
  }
  if (runs && asked.kind) std::thread(watch_check, asked).detach();
  if (runs && check.kind) watch_health(check);
}

void watch_end() {
  int status = 0;
  waitpid(pid, &status, 0);
  exited = true;
  std::unique_lock<std::mutex> held(lock);
  changed.wait(held, [] { return started; });
  over = true;
  kill(-pid, SIGKILL);  // what it left behind in its session
  changed.notify_all();
  const bool success = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  update(success ? "TASK_FINISHED" : killed ? "TASK_KILLED" : "TASK_FAILED", work::ended(status),
         unfit ? Json::plain("false") : Json{});
  // An agent that is away comes back within its recovery time, 15 minutes by default.
  changed.wait_for(held, std::chrono::minutes(15), [] { return unacknowledged.empty(); });
  _exit(0);
}

void launch(const Json& info) {
  std::lock_guard<std::mutex> held(lock);
  task_id = info["task_id"];
  if (launched) return update("TASK_FAILED", "Attempted to run multiple tasks using a \"command\" executor");
  task = info;
  policy = info["kill_policy"];
  update("TASK_STARTING");
  std::string why;
  pid = work::start(info, why);
  if ((refused = pid < 0)) return update("TASK_FAILED", why);
  launched = true;
  std::thread(watch_end).detach();
  std::thread(watch_deadline).detach();
  std::thread(watch_start, info["health_check"], info["check"]).detach();
}

void handle(const Json& event) {
  const std::string& type = event["type"].text;
  if (type == "LAUNCH") return launch(event["launch"]["task"]);
  std::lock_guard<std::mutex> held(lock);
  if (type == "SUBSCRIBED") {
    for (const auto& c : event["subscribed"]["framework_info"]["capabilities"].parts)
      announces_kill = announces_kill || c.second["type"].text == "TASK_KILLING_STATE";
  } else if (type == "ACKNOWLEDGED") {
    for (auto at = unacknowledged.begin(); at != unacknowledged.end(); at++) {
      if (at->first != event["acknowledged"]["uuid"].text) continue;
      unacknowledged.erase(at);
      break;
    }
    task = {};
    changed.notify_all();
    if (refused && unacknowledged.empty()) _exit(0);
  } else if (type == "KILL") {
    const Json& kill = event["kill"];
    end_task(grace(kill.has("kill_policy") ? kill["kill_policy"] : policy, 3));
  } else if (type == "SHUTDOWN") {
    if (!launched) _exit(0);
    // The agent kills everything after 5 s; the last update should leave before.
    const std::string given = variable("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD");
    end_task(std::max(0.0, (given.empty() ? 5 : strtod(given.c_str(), nullptr)) - 1.1));
  }
}

bool subscribe() {
  Exchange stream(host(), port(), 0);
  std::string request;
  {
    std::lock_guard<std::mutex> held(lock);
    std::vector<Json> updates, tasks;
    for (const auto& one : unacknowledged) updates.push_back(one.second);
    if (task.kind) tasks.push_back(task);
    request = message("SUBSCRIBE", "subscribe",
                      Json::object({{"unacknowledged_tasks", Json::array(tasks)},
                                    {"unacknowledged_updates", Json::array(updates)}}));
  }
  if (stream.ask(request) != 200) return false;
  for (std::string record; stream.record(record);) handle(Json::read(record));
  return true;
}
}  // namespace

int main(int argc, char** argv) {
  work::begin(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  const auto patience = std::chrono::minutes(15);
  for (auto last = Clock::now(); Clock::now() - last < patience;) {
    if (subscribe()) last = Clock::now();
    // Without checkpoints an agent does not know its executors again.
    if (launched && variable("MESOS_CHECKPOINT") != "1") break;
    std::this_thread::sleep_for(seconds(0.2));
  }
  if (launched) work::kill();
  return 1;
}
