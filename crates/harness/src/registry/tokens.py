"""Gives tokens for a registry: see tokens.rs."""
import base64, http.server, json, os, ssl, subprocess, sys, threading, time, urllib.parse

folder, name, password, scheme = sys.argv[1:]
LOGIN = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(scopes):
    pem = open(os.path.join(folder, "leaf.pem")).read()
    chain = ["".join(pem.split("-----")[2].split())]
    access = []
    for scope in scopes:
        kind, repository, actions = scope.split(":", 2)
        access.append({"type": kind, "name": repository, "actions": actions.split(",")})
    now = int(time.time())
    head = {"typ": "JWT", "alg": "RS256", "x5c": chain}
    body = {"iss": "tokens", "sub": name, "aud": "registry", "exp": now + 300, "nbf": now - 60, "iat": now,
            "jti": str(now), "access": access}
    text = ".".join(b64(json.dumps(part).encode()) for part in (head, body))
    sign = ["openssl", "dgst", "-sha256", "-sign", os.path.join(folder, "leaf.key")]
    signature = subprocess.run(sign, input=text.encode(), check=True, capture_output=True).stdout
    return text + "." + b64(signature)


class Server(http.server.BaseHTTPRequestHandler):
    def answer(self, is_known, scopes):
        body = json.dumps({"token": token(scopes)} if is_known else {"details": "no"}).encode()
        self.send_response(200 if is_known else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.answer(self.headers.get("authorization") == LOGIN, query.get("scope", []))

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        scopes = form.get("scope", [""])[0].split()
        self.answer(form.get("refresh_token") == ["refresh-" + password], scopes)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
if scheme == "https":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "leaf.pem"), os.path.join(folder, "leaf.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(f"{scheme}://127.0.0.1:{server.server_address[1]}/token", flush=True)
# Nobody reads the pipe when whoever started this has gone.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.serve_forever()
