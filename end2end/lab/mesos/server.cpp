// One Mesos process out of libmesos' exported symbols: a master, or one agent.
//
// Why: libmesos 1.11.0 is on PyPI, the programs mesos-master and mesos-agent are
// not. The library can launch a "local" cluster, and that is all this needs: a
// master alone is a local cluster without agents. An agent alone is one with one
// agent whose master detector is told, at the first question, that the leader
// is elsewhere: its own master then is a standby for ever, and the agent
// registers where it was told to. So each can be killed and restarted alone.
//
// No Mesos header is needed; the types below are spelled by hand. What one could
// get wrong: stout's Option<T> begins with SOME = 0, NONE = 1; Future<T> is
// returned through a hidden first argument; the vtable lies in memory that is
// made read-only after relocation.
//
// usage: mesos-server master [LEADER_IP:PORT] | mesos-server agent LEADER_IP:PORT
// A master that is told of a leader is a standby.
// Everything else comes from the environment: LIBPROCESS_IP, LIBPROCESS_PORT and
// Mesos' own flags as MESOS_*, MESOS_WORK_DIR at least. SIGHUP lets an agent
// register again at once. When standard input is a pipe, its end is the program's:
// so nothing survives a test that was killed.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {
struct Text {  // Option<std::string>
  int none;
  std::string value;
};
using Raw = char[1 << 14];  // more than any of the objects below needs

extern "C" {
bool initialize(const Text*, const Text*, const Text*)
    asm("_ZN7process10initializeERK6OptionINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEES9_S9_");
void framework(void*) asm("_ZN5mesos13FrameworkInfoC1Ev");
bool parse(void*, const std::string&)
    asm("_ZN6google8protobuf11MessageLite15ParseFromStringERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE");
void driver(void*, void*, const void*, const std::string&)
    asm("_ZN5mesos20MesosSchedulerDriverC1EPNS_9SchedulerERKNS_13FrameworkInfoERKNSt7__cxx1112basic_stringIcSt11char_"
        "traitsIcESaIcEEE");
void pid(void*, const char*) asm("_ZN7process4UPIDC1EPKc");
void appoint(void*, const void*)
    asm("_ZN5mesos6master8detector24StandaloneMasterDetector7appointERKN7process4UPIDE");
void appoint_info(void*, const void*)
    asm("_ZN5mesos6master8detector24StandaloneMasterDetector7appointERK6OptionINS_10MasterInfoEE");
void* detect(void*, void*, const void*)
    asm("_ZN5mesos6master8detector24StandaloneMasterDetector6detectERK6OptionINS_10MasterInfoEE");
extern void* vtable[] asm("_ZTVN5mesos6master8detector24StandaloneMasterDetectorE");
}

std::string leader;
void* detector;
std::once_flag first;

void* detect_elsewhere(void* result, void* self, const void* previous) {
  std::call_once(first, [self] {
    alignas(16) static Raw upid;
    pid(upid, leader.c_str());
    appoint(self, upid);
    detector = self;
  });
  return detect(result, self, previous);
}

bool lead_elsewhere() {
  const long page = sysconf(_SC_PAGESIZE);
  for (int slot = 2; slot < 6; slot++) {  // after offset and type information
    if (vtable[slot] != reinterpret_cast<void*>(detect)) continue;
    void* start = reinterpret_cast<void*>(reinterpret_cast<unsigned long>(&vtable[slot]) & -page);
    if (mprotect(start, page, PROT_READ | PROT_WRITE)) return false;
    vtable[slot] = reinterpret_cast<void*>(detect_elsewhere);
    return mprotect(start, page, PROT_READ) == 0;
  }
  return false;
}

// The detector answers a pending question only when the leader changes.
void register_again() {
  if (!detector) return;
  alignas(16) static Raw nobody;
  reinterpret_cast<int*>(nobody)[0] = 1;
  appoint_info(detector, nobody);
  alignas(16) static Raw upid;
  pid(upid, leader.c_str());
  appoint(detector, upid);
}

void nothing() {}

void end_with_input() {
  struct stat input;
  if (fstat(0, &input) || !S_ISFIFO(input.st_mode)) return;
  std::thread([] {
    for (char c[64]; read(0, c, sizeof c) > 0;) {
    }
    _exit(0);
  }).detach();
}

// What suits a laboratory: no isolation (namespaces and cgroups are the outer
// world's), quick offers and registration. The given environment goes first.
void defaults(bool agent) {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  std::string folder(path, n > 0 ? static_cast<size_t>(n) : 0);
  folder.erase(folder.find_last_of('/') + 1);
  const char* const values[][2] = {
      {"LIBPROCESS_IP", "127.0.0.1"}, {"LIBPROCESS_NUM_WORKER_THREADS", "4"},
      {"MESOS_REGISTRY", agent ? "in_memory" : "replicated_log"}, {"MESOS_ALLOCATION_INTERVAL", "200ms"},
      {"MESOS_REGISTRATION_BACKOFF_FACTOR", "100ms"}, {"MESOS_LAUNCHER", "posix"},
      {"MESOS_ISOLATION", "posix/cpu,posix/mem"}, {"MESOS_SYSTEMD_ENABLE_SUPPORT", "false"},
      {"MESOS_LAUNCHER_DIR", folder.c_str()}, {"MESOS_HTTP_COMMAND_EXECUTOR", "true"}, {"GLOG_logtostderr", "1"},
  };
  for (const auto& value : values) setenv(value[0], value[1], 0);
  setenv("MESOS_NUM_SLAVES", agent ? "1" : "0", 1);
}
}  // namespace

int main(int argc, char** argv) {
  const bool led = argc == 3, agent = led && !strcmp(argv[1], "agent");
  if (!agent && !((led || argc == 2) && !strcmp(argv[1], "master"))) {
    fprintf(stderr, "usage: mesos-server master [LEADER_IP:PORT] | mesos-server agent LEADER_IP:PORT\n");
    return 2;
  }
  // Who makes containers of images mounts things; none of it is to outlive it.
  const char* launcher = getenv("MESOS_LAUNCHER");
  if (agent && launcher && !strcmp(launcher, "linux") &&
      (unshare(CLONE_NEWNS) || mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr))) {
    perror("mesos-server: mounts of its own");
    return 1;
  }
  signal(SIGPIPE, SIG_IGN);
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);  // before the library makes threads
  if (led) {
    leader = std::string("master@") + argv[2];
    if (!lead_elsewhere()) {
      fprintf(stderr, "mesos-server: not the libmesos that this was made for\n");
      return 1;
    }
  }
  end_with_input();
  defaults(agent);
  // As the real program does: "/state" means the master's, and the two realms exist.
  Text delegate{0, agent ? "slave(1)" : "master"};
  Text rw{0, agent ? "mesos-agent-readwrite" : "mesos-master-readwrite"};
  Text ro{0, agent ? "mesos-agent-readonly" : "mesos-master-readonly"};
  initialize(&delegate, &rw, &ro);

  alignas(16) static Raw info, drives;
  framework(info);
  parse(info, std::string("\x0a\x04root\x12\x05local", 13));  // user, name
  static void* functions[64];
  for (auto& function : functions) function = reinterpret_cast<void*>(nothing);
  static void* scheduler[8] = {functions};
  driver(drives, scheduler, info, "local");  // launches; the driver itself is never started
  for (int got;;) {
    if (!sigwait(&wanted, &got)) register_again();
  }
}
