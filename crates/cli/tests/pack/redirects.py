"""A registry that keeps its bytes elsewhere: see login.rs."""
import http.server, os, ssl, sys, threading

folder = sys.argv[1]
seen = open(os.path.join(folder, "seen"), "w")


def server(handler):
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "leaf.pem"), os.path.join(folder, "leaf.key"))
    made.socket = context.wrap_socket(made.socket, server_side=True)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made.server_address[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, headers=()):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        seen.write(f"{self.who} {self.command} {self.path} {self.headers.get('authorization')}\n")
        seen.flush()
        self.send_response(status)
        for name, value in [*headers, ("content-length", "0")]:
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


class Elsewhere(Handler):
    who = "other"

    def do_PUT(self):
        self.answer(201)

    def do_GET(self):
        self.answer(200)


class Own(Handler):
    who = "own"

    def reply(self):
        there = f"https://127.0.0.1:{elsewhere}{self.path}"
        if not self.headers.get("authorization"):
            self.answer(401, [("www-authenticate", 'Basic realm="r"')])
        elif self.command == "HEAD":
            self.answer(404)
        elif self.command == "POST":
            self.answer(202, [("location", there)])
        elif self.command == "PUT":
            self.answer(201)
        else:
            self.answer(307, [("location", there)])

    do_HEAD = do_POST = do_PUT = do_GET = reply


elsewhere = server(Elsewhere)
print(f"127.0.0.1:{server(Own)}", flush=True)
sys.stdin.read()
