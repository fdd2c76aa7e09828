"""The command line tool of Apache Mesos (`avmesos-cli`, its maintained fork) against the engine.

usage: mesos_cli.py http://HOST:PORT http://HOST:PORT
    of the Marathon API, to have tasks, and of the Mesos operator API
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import requests

marathon, mesos = sys.argv[1:3]
folder = tempfile.mkdtemp()
config = os.path.join(folder, "config.toml")
with open(config, "w", encoding="utf-8") as file:
    file.write('[core]\n[master]\naddress = "%s"\n' % mesos.removeprefix("http://"))


def cli(*args):
    env = {**os.environ, "MESOS_CLI_CONFIG": config, "HOME": folder}
    command = [sys.executable, "-m", "avmesos.cli.mesos-cli", *args]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (args, done.stdout, done.stderr)
    return done.stdout


def rows(*args):
    """The lines of a table below its head."""
    return [line.split() for line in cli(*args).splitlines()[1:] if line.strip()]


app = {"id": "/cli/web", "cmd": "sleep 1000", "cpus": 0.1, "mem": 32, "instances": 2,
       "container": {"type": "DOCKER", "docker": {"image": "none:1"}}}
requests.put(marathon + "/v2/apps/cli/web", json=app, timeout=30).raise_for_status()
end = time.monotonic() + 60
while True:
    tasks = requests.get(marathon + "/v2/apps/cli/web/tasks", timeout=30).json()["tasks"]
    if [t["state"] for t in tasks] == ["TASK_RUNNING"] * 2:
        break
    assert time.monotonic() < end, tasks
    time.sleep(0.05)

agents = rows("agent", "list")
assert len(agents) == 5 and all(row[2] == "True" for row in agents), agents
(framework,) = rows("framework", "list")
assert framework[1:] == ["True", "localhost", "marathon"], framework
assert sorted(row[0] for row in rows("task", "list")) == sorted(t["id"] for t in tasks)
assert {row[1] for row in rows("task", "list")} == {"TASK_RUNNING"}
told = json.loads(cli("task", "inspect", tasks[0]["id"]))
assert (told["name"], told["framework_id"]) == ("web.cli", framework[0]), told
assert told["statuses"][-1]["container_status"]["network_infos"][0]["ip_addresses"][0]["ip_address"] == "127.0.0.1"

# Out of service: the tool sees it at once.
order = {"type": "DRAIN_AGENT", "drain_agent": {"agent_id": {"value": agents[0][0]}}}
requests.post(mesos + "/api/v1", json=order, timeout=30).raise_for_status()
assert [row[2] for row in rows("agent", "list") if row[0] == agents[0][0]] == ["False"]
