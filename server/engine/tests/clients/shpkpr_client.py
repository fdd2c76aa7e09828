"""The deployment tool `shpkpr` 4.1 (its Marathon client) against the engine.

usage: shpkpr_client.py http://HOST:PORT
"""
import sys

from shpkpr.marathon.client import ClientError, MarathonClient

client = MarathonClient(sys.argv[1])


def app(id, **more):
    base = {"id": id, "cmd": "sleep 1000", "cpus": 0.1, "mem": 32, "instances": 1,
            "container": {"type": "DOCKER", "docker": {"image": "none:1"}}}
    return {**base, **more}


assert client.get_info()["frameworkId"]
one = client.deploy(app("/shp/one", instances=2))
assert one.wait(timeout=30, check_interval_secs=0.05)
several = client.deploy([app("/shp/two"), app("/shp/three", dependencies=["/shp/two"])])
assert several.wait(timeout=30, check_interval_secs=0.05)
assert sorted(a["id"] for a in client.list_applications()) == ["/shp/one", "/shp/three", "/shp/two"]
got = client.get_application("/shp/one")
assert got["tasksRunning"] == 2 and len(got["tasks"]) == 2
try:
    client.get_application("/shp/none")
    raise AssertionError("an app that nobody made")
except ClientError as error:
    assert "does not exist" in str(error)

client.deploy(app("/shp/one", instances=2, cpus=100000))
try:
    client.deploy(app("/shp/one", instances=3))
    raise AssertionError("a locked app was changed")
except ClientError as error:
    assert "locked by one or more deployments" in str(error)
assert client.deploy(app("/shp/one", instances=3), force=True).wait(timeout=30, check_interval_secs=0.05)
for each in ("/shp/three", "/shp/two", "/shp/one"):
    assert client.delete_application(each)
print("all of it works")
