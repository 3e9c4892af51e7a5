#!/usr/bin/env python3
"""Does envoy-configs/docker-compose.yaml really run, and do its dashboards show anything?

    python3 tests/compose              the mesh on a running engine, from look-alike images
    python3 tests/compose --published  the same from the published ones, Grafana included
    python3 tests/compose --static     what can be said without an engine

With REQUIRED in the environment, what cannot be done fails.
"""

import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import dashboards
import lookalikes
import traffic

ROOT = dashboards.ROOT
PORTS = ["INGRESS", "INGRESS_TLS", "INGRESS_ADMIN", "OUTBOUND", "SIDECAR_ADMIN", "EGRESS", "EGRESS_ADMIN", "MANAGED_EGRESS", "PROMETHEUS", "GRAFANA"]
PROXIES = 10
PATIENCE = 300


def main(arguments):
    check_files()
    if "--static" in arguments:
        return
    published = "--published" in arguments
    reason = no_engine() or (None if published else lookalikes.missing())
    if reason:
        print(f"SKIPPED: the mesh in docker-compose was not run: {reason}")
        raise SystemExit(1 if os.environ.get("REQUIRED") else 0)
    subprocess.run(["make", "--no-print-directory", "filters", "echo-image", "certificates", *([] if published else ["envoy"])], cwd=ROOT, check=True)
    Mesh({} if published else lookalikes.build(), [] if published else ["grafana"]).test()
    print("compose: it runs, and every query has an answer")


def check_files():
    found = list(dashboards.faults())
    if found:
        raise SystemExit("\n".join(found))
    if not shutil.which("promtool"):
        print("SKIPPED: prometheus/*.yml were not checked: no promtool on the PATH (Debian: apt-get install prometheus)")
        if os.environ.get("REQUIRED"):
            raise SystemExit(1)
        return
    folder = dashboards.CONFIGS / "prometheus"
    for command in (["check", "config", "prometheus.yml"], ["test", "rules", "rules_test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"promtool {' '.join(command)}\n{done.stdout}{done.stderr}")
    print("compose: the dashboards are well formed, the rules do what they say")


def no_engine():
    """Why nothing can be run here, if so."""
    if not shutil.which("docker"):
        return "no docker on the PATH"
    if not works("docker", "info"):
        return "no engine answers (`docker info` fails); start one, as with `systemctl start docker`"
    if not works("docker", "compose", "version") and not shutil.which("docker-compose"):
        return "neither `docker compose` nor docker-compose is installed"
    return None


def works(*command):
    return subprocess.run(command, capture_output=True).returncode == 0


class Mesh:
    """The services of the compose file, under a name and on ports of their own."""

    def __init__(self, images, without):
        self.ports = dict(zip(PORTS, free_ports(len(PORTS))))
        ports = {f"NARROWS_{name}_PORT": str(port) for name, port in self.ports.items()}
        # A busy machine starts containers more slowly than compose waits for.
        slow = {"COMPOSE_HTTP_TIMEOUT": "600"}
        self.environment = os.environ | images | ports | slow
        self.without = without

    def test(self):
        # However this ends, what it started ends with it.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
        try:
            services = self.compose("config", "--services", quiet=True).split()
            self.compose("up", "--detach", *(s for s in services if s not in self.without))
            self.wait()
            self.kept()
            self.answered()
            self.guarded()
        except BaseException:
            print(self.compose("logs", "--no-color", "--tail", "15", quiet=True, check=False))
            raise
        finally:
            self.compose("down", "--volumes", "--remove-orphans", "--timeout", "3")

    def compose(self, *arguments, quiet=False, check=True):
        program = ["docker", "compose"] if works("docker", "compose", "version") else ["docker-compose"]
        file = str(dashboards.CONFIGS / "docker-compose.yaml")
        command = [*program, "--file", file, "--project-name", "narrows-test", *arguments]
        out = subprocess.PIPE if quiet else None
        return subprocess.run(command, env=self.environment, stdout=out, text=True, check=check).stdout

    def workload(self, account):
        """One of the admin cluster, which is also the applications'."""
        return traffic.Workload(self.ports["EGRESS"], account, ROOT / "target/certificates")

    def managed(self, account):
        """One of the managed cluster."""
        return traffic.Workload(self.ports["MANAGED_EGRESS"], account, ROOT / "target/certificates")

    def wait(self):
        """Until every proxy and Prometheus are ready, and one has scraped the others."""
        ready = ["INGRESS_ADMIN", "SIDECAR_ADMIN", "EGRESS_ADMIN"]
        until("the mesh", lambda: all(answers(f"http://127.0.0.1:{self.ports[p]}/ready") for p in ready))
        client = traffic.Client
        until("the stock application", lambda: client(self.ports["INGRESS"]).books(x_user_id="x") in ("stable", "canary"))
        until("the canary", lambda: client(self.ports["INGRESS"]).books(x_canary="always") == "canary")
        until("the world outside", lambda: self.workload("shop.checkout").call("api.stripe.com", "/v1/charges")[0] == 200)
        federate = ("prometheus.vmi.system.managed1.example.com:443", "/federate")
        prometheus = self.workload("verrazzano-monitoring.prometheus-operator-kube-p-prometheus")
        until("the managed cluster", lambda: prometheus.call(*federate)[0] == 200)
        bulk = ("opensearch.vmi.system.admin.example.com:443", "/_bulk", "POST")
        until("the admin cluster", lambda: self.managed("verrazzano-system.fluentd").call(*bulk)[0] == 200)
        until("all proxies scraped", lambda: self.samples("sum(up)") == [PROXIES])

    def kept(self):
        """What was promised to clients, and whether Prometheus has counted as they did."""
        inward = traffic.promises(self.ports["INGRESS"])
        outward = traffic.outward(self.workload("shop.checkout"), self.workload("shop.web"))
        across = traffic.between_clusters(self.workload, self.managed)
        for what, held, seen in itertools.chain(inward, outward, across):
            if not held:
                raise SystemExit(f"BROKEN: {what}: {seen}")
            print(f"  kept: {what}")
        served = dict(traffic.Client.served)
        counted = 'sum by (backend) (narrows_split_requests_total{code_class="2xx"})'
        until(f"{served} in Prometheus", lambda: sorted(self.samples(counted)) == sorted(map(float, served.values())))
        print(f"  kept: Prometheus has counted what the clients saw: {served}")

    def answered(self):
        """Every query of every dashboard and rule, asked while there is traffic."""
        pending = dict(dashboards.queries())
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        for rule in rules:
            # An alert is silent while all is well; what it looks at must be there.
            parts = sorted(dashboards.metrics(rule["query"])) or ["up"]
            asked = [rule["query"]] if rule["type"] == "recording" else parts
            pending |= {f"rule {rule['name']}: {query}": query for query in asked}
        total = len(pending)
        fluentd = self.managed("verrazzano-system.fluentd")
        with traffic.Background(self.ports["INGRESS"], self.workload("shop.checkout"), fluentd):
            try:
                until("answers", lambda: not self.silent(pending))
            except TimeoutError:
                raise SystemExit("no data for\n" + "\n".join(f"  {place}\n    {query}" for place, query in pending.items()))
        sick = [rule["name"] for group in self.ask("rules")["groups"] for rule in group["rules"] if rule["health"] != "ok"]
        firing = [alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"]
        if sick or firing:
            raise SystemExit(f"rules that fail: {sick}; alerts that fire in a healthy mesh: {firing}")
        print(f"  kept: {total} queries of dashboards and rules have data; {len(rules)} rules are well, none fires")

    def guarded(self):
        """A canary that goes away: the baseline serves its users, and somebody is told."""
        client = traffic.Client(self.ports["INGRESS"])
        user = next(user for user in map(traffic.user, range(traffic.USERS)) if client.books(x_user_id=user) == "canary")
        self.compose("stop", "--timeout", "1", traffic.CANARY)
        until("the baseline in place of the canary", lambda: client.books(x_user_id=user) == "stable")
        seen = {client.books(x_user_id=user) for _ in range(100)}
        if seen != {"stable"}:
            raise SystemExit(f"BROKEN: a canary that is gone costs no request once it is missed: {seen}")
        until("the guard in Prometheus", lambda: self.samples('narrows_split_guard{split="stock",backend="canary"}') == [1])
        until("NarrowsCanaryAbsent", lambda: self.samples('ALERTS{alertname="NarrowsCanaryAbsent"}'))
        print("  kept: a canary that is gone costs no request once it is missed, and an alert says so")

    def silent(self, pending):
        """Takes out of `pending` what has an answer by now, and returns the rest."""
        for place, query in list(pending.items()):
            if self.samples(query):
                del pending[place]
        return pending

    def samples(self, query):
        """What a query answers now, without what is not a number."""
        found = self.ask("query", query=query)["result"]
        return [value for value in (float(sample["value"][1]) for sample in found) if value == value]

    def ask(self, what, **parameters):
        url = f"http://127.0.0.1:{self.ports['PROMETHEUS']}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.load(response)["data"]


def until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if condition():
                return
            last = None
        except (OSError, http.client.HTTPException, ValueError) as error:
            last = error
        if time.monotonic() > deadline:
            raise TimeoutError(f"still waiting for {what} after {PATIENCE} s: {last or 'not so yet'}")
        time.sleep(0.5)


def answers(url):
    with urllib.request.urlopen(url, timeout=2) as response:
        return response.status == 200


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


main(sys.argv[1:])
