"""The PyPI package `marathon` 0.13 against the engine: what its users do with it.

usage: marathon_client.py http://HOST:PORT
"""
import collections
import collections.abc
import sys
import threading
import time

import requests

collections.Iterable = collections.abc.Iterable  # the package is older than Python 3.10

from marathon import MarathonClient, NotFoundError, MarathonHttpError
from marathon.models import MarathonApp, MarathonGroup, MarathonConstraint, MarathonHealthCheck
from marathon.models.container import MarathonContainer, MarathonDockerContainer

client = MarathonClient(sys.argv[1])


def until(what, holds):
    end = time.time() + 30
    while not holds():
        assert time.time() < end, "not within 30 s: " + what
        time.sleep(0.02)


def settled():
    until("no deployment runs", lambda: not client.list_deployments())


def app(instances=1, cpus=0.1, **more):
    docker = MarathonDockerContainer(image="none:1")
    return MarathonApp(cmd="sleep 1000", cpus=cpus, mem=32, instances=instances,
                       container=MarathonContainer(docker=docker), **more)


assert client.ping().strip() in (b"pong", "pong")
info = client.get_info()
assert info.name == "marathon" and info.version.startswith("1.")
assert client.get_leader()["leader"]

seen = []
stream = client.event_stream()


def listen():
    for event in stream:
        seen.append(event)


threading.Thread(target=listen, daemon=True).start()
until("the stream is attached", lambda: any(e.event_type == "event_stream_attached" for e in seen))

# create, list, get
made = client.create_app("/py/web", app(2, labels={"team": "a"}, constraints=[MarathonConstraint("hostname", "UNIQUE")],
                                        health_checks=[MarathonHealthCheck(protocol="TCP", port_index=0)]))
assert made.id == "/py/web" and made.instances == 2
settled()
got = client.get_app("/py/web", embed_tasks=True)
assert got.tasks_running == 2 and len(got.tasks) == 2
assert len({t.host for t in got.tasks}) == 2
assert [a.id for a in client.list_apps(label="team==a")] == ["/py/web"]
assert client.list_apps(embed_counts=True)[0].tasks_running == 2
try:
    client.create_app("/py/web", app())
    raise AssertionError("created twice")
except MarathonHttpError as error:
    assert error.status_code == 409

# update, versions, roll back
client.update_app("/py/web", MarathonApp(cpus=0.2))
settled()
assert client.get_app("/py/web").cpus == 0.2
versions = client.list_versions("/py/web")
assert len(versions) == 2
assert client.get_version("/py/web", versions[-1]).cpus == 0.1
client.rollback_app("/py/web", versions[-1])
settled()
assert client.get_app("/py/web").cpus == 0.1

# scale, kill, kill and scale
client.scale_app("/py/web", delta=2)
settled()
tasks = client.list_tasks("/py/web")
assert len(tasks) == 4
client.kill_task("/py/web", tasks[0].id)
until("another one instead", lambda: tasks[0].id not in [t.id for t in client.list_tasks("/py/web")]
      and len(client.list_tasks("/py/web")) == 4)
client.kill_task("/py/web", client.list_tasks("/py/web")[0].id, scale=True)
settled()
assert client.get_app("/py/web").instances == 3
client.kill_given_tasks([t.id for t in client.list_tasks("/py/web")][:2], scale=True)
settled()
assert len(client.list_tasks("/py/web")) == 1
client.restart_app("/py/web")
settled()

# groups
client.create_group(MarathonGroup(id="/shop", apps=[], groups=[
    MarathonGroup(id="db", apps=[app(id="mongo")]),
]))
settled()
assert client.get_group("/shop").groups[0].apps[0].id == "/shop/db/mongo"
client.scale_group("/shop", 2)
settled()
assert client.get_app("/shop/db/mongo").instances == 2
assert any(g.id == "/shop" for g in client.list_groups())
client.delete_group("/shop")
settled()
try:
    client.get_group("/shop")
    raise AssertionError("the group is still there")
except NotFoundError:
    pass

# what can't be placed waits; its deployment can be taken back
client.create_app("/py/big", app(cpus=100000))
# (Marathon 1.11 tells the role of what waits, which this package does not know.)
queue = lambda: requests.get(sys.argv[1] + "/v2/queue").json()["queue"]
until("it waits", lambda: any(q["app"]["id"] == "/py/big" for q in queue()))
client.reset_delay("/py/big")
client.delete_deployment(client.list_deployments()[0].id)
settled()
try:
    client.get_app("/py/big")
    raise AssertionError("the app is still there")
except NotFoundError:
    pass

client.delete_app("/py/web")
settled()
assert client.list_apps() == []
until("the end is told", lambda: any(e.event_type == "app_terminated_event" for e in seen))
kinds = {e.event_type for e in seen}
for kind in ("deployment_info", "deployment_success", "deployment_step_success", "deployment_failed",
             "status_update_event", "api_post_event", "group_change_success"):
    assert kind in kinds, (kind, kinds)
print("all of it works")
