"""Clients of the mesh, and whether they are served by whom they should be."""

import collections
import http.client
import json
import ssl
import threading

HELLO = "hello-helidon-appconf.hello-helidon.1.2.3.4.nip.io"
BOOKS = "bobs-books.bobs-books.1.2.3.4.nip.io"
CANARY = "bobbys-helidon-stock-application-canary"
USERS = 300


class Client:
    """One connection to the ingress gateway."""

    # By whom the calls of all clients to the stock application were answered.
    served = collections.Counter()

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def get(self, host, target, **headers):
        headers = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self.connection.request("GET", target, headers=headers)
            response = self.connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            # The next request takes a new connection.
            self.connection.close()
            raise

    def greet(self, target="/greet", **headers):
        """The version of hello-helidon that answered, or else the status."""
        status, body = self.get(HELLO, target, **headers)
        return json.loads(body)["version"] if status == 200 else status

    def books(self, **headers):
        """The version of the stock application that the front end reached."""
        status, body = self.get(BOOKS, "/bobbys-front-end/books", **headers)
        if status != 200:
            return status
        answered = json.loads(body)["called"]["body"]["version"]
        self.served[answered] += 1
        return answered

    def order(self):
        """The application at which an order ends that is placed at the front end."""
        headers = {"host": BOOKS, "content-length": "0"}
        self.connection.request("POST", "/bobbys-front-end/order", headers=headers)
        response = self.connection.getresponse()
        body = json.loads(response.read())
        if response.status != 200:
            return response.status
        self.served[body["called"]["body"]["version"]] += 1
        return body["called"]["body"]["called"]["body"]["app"]


class Workload:
    """A workload of the mesh, by its certificate, calling out through an egress gateway."""

    def __init__(self, port, account, certificates):
        self.port = port
        self.tls = ssl.create_default_context(cafile=certificates / "ca.pem")
        # A certificate of the mesh names an identity and no host.
        self.tls.check_hostname = False
        self.tls.load_cert_chain(certificates / f"{account}.pem", certificates / f"{account}.key")

    def call(self, host, target="/", method="GET"):
        """The status of the answer, and who gave it: nobody if the gateway refused."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=self.tls)
        connection.request(method, target, headers={"host": host})
        response = connection.getresponse()
        answered = (response.status, response.headers["x-app"])
        connection.close()
        return answered


class Background(threading.Thread):
    """Light traffic of every kind, so that rates have something to rise by."""

    def __init__(self, port, workload, fluentd):
        super().__init__(daemon=True)
        self.port, self.workload, self.fluentd, self.over = port, workload, fluentd, threading.Event()

    def run(self):
        client, turn = Client(self.port), 0
        while not self.over.wait(0.02):
            turn += 1
            client.books(x_user_id=user(turn % USERS))
            client.greet(**({"x_user_group": "beta"} if turn % 3 else {}))
            if turn % 10 == 0:
                client.greet("/greet?api=1")
                client.books()
                client.books(x_user_id="someone", x_canary="always")
                self.workload.call("api.stripe.com", "/v1/charges")
                self.workload.call("unlisted.example")
                self.fluentd.call("opensearch.vmi.system.admin.example.com:443", "/_bulk", "POST")

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def __enter__(self):
        self.start()


def promises(port):
    """Drives traffic; yields what was promised, whether it held, and what was seen."""
    client = Client(port)
    for what, headers, wanted in [
        ("anybody is greeted by v1", {}, "v1"),
        ("a beta user is greeted by v2", {"x_user_group": "beta"}, "v2"),
        ("a client cannot name the route itself", {"x_narrows_route": "hello-v2"}, "v1"),
    ]:
        seen = collections.Counter(client.greet(**headers) for _ in range(20))
        yield what, set(seen) == {wanted}, seen
    gone = client.greet("/greet?api=1")
    yield "an old client is answered 410", gone == 410, gone

    sides = {n: {client.books(x_user_id=user(n)) for _ in range(3)} for n in range(USERS)}
    yield "each user stays on one side", all(len(side) == 1 for side in sides.values()), sides
    canary = sum(side == {"canary"} for side in sides.values())
    # The weight is ten of a hundred; the users are fixed, and so is who of them it is.
    yield "about one in ten users is on the canary", 0.06 * USERS <= canary <= 0.14 * USERS, canary
    forced = client.books(x_user_id="someone", x_canary="always")
    yield "x-canary: always reaches the canary", forced == "canary", forced
    keyless = {client.books() for _ in range(5)}
    yield "a request without a key stays with the baseline", keyless == {"stable"}, keyless
    ordered = client.order()
    yield "an order reaches the bookstore", ordered == "bobs-bookstore", ordered


def outward(checkout, web):
    """The same for what leaves the mesh."""
    for what, caller, host, target, status in [
        ("checkout may charge", checkout, "api.stripe.com", "/v1/charges", 200),
        ("web may not", web, "api.stripe.com", "/v1/charges", 403),
        ("nobody makes tokens", checkout, "api.stripe.com", "/v1/tokens", 403),
        ("anybody in the shop may fetch from git", web, "git.example", "/", 200),
        ("nobody asks for the machine's metadata", web, "169.254.169.254", "/latest", 403),
        ("a host that no rule lists is not called", web, "unlisted.example", "/", 403),
    ]:
        seen = caller.call(host, target)
        yield what, seen == (status, "outside-world" if status == 200 else None), seen


def between_clusters(admin, managed):
    """The same for what crosses from cluster to cluster; by account, a workload of each."""
    prometheus, argocd = admin("verrazzano-monitoring.prometheus-operator-kube-p-prometheus"), admin("argocd.argocd-server")
    fluentd, authproxy = managed("verrazzano-system.fluentd"), managed("verrazzano-system.impersonate-api-user")
    federate = "prometheus.vmi.system.managed1.example.com:443", "/federate"
    bulk = "opensearch.vmi.system.admin.example.com:443", "/_bulk"
    for what, caller, call, answered in [
        ("the admin cluster's Prometheus federates", prometheus, (*federate, "GET"), "managed-authproxy"),
        ("it writes nothing", prometheus, (*federate, "POST"), None),
        ("argoCD reaches the Rancher proxy", argocd, ("rancher.managed1.example.com:443", "/k8s/clusters/x", "GET"), "managed-rancher-proxy"),
        ("the managed cluster's Fluentd writes logs", fluentd, (*bulk, "POST"), "verrazzano-authproxy"),
        ("it reads none", fluentd, (*bulk, "GET"), None),
        ("its authentication proxy reaches Keycloak", authproxy, ("keycloak.admin.example.com:443", "/auth/realms/x", "GET"), "keycloak-http"),
    ]:
        seen = caller.call(*call)
        yield what, seen == (200 if answered else 403, answered), seen


def user(n):
    return f"user-{n:04}"
