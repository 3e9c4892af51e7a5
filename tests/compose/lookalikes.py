"""Images that look like the published ones, made from what this machine has.

No registry is asked: the Envoy of the Python wheel and the Prometheus of the
distribution, each with the shared libraries it needs and nothing else. They have names
of their own, so that nobody's pulled images are replaced.
"""

import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVOY = "localhost/narrows-test/envoy"
PROMETHEUS = "localhost/narrows-test/prometheus"

# As in envoyproxy/envoy, apart from becoming another user: `user` in the compose file
# says whose the process is, and then the published one does nothing else either.
ENTRYPOINT = """#!/bin/sh
set -e
if [ "${1#-}" != "$1" ]; then
    set -- envoy "$@"
fi
exec "$@"
"""

ENVOY_FILE = """FROM scratch
COPY root /
ENV PATH=/usr/local/bin:/bin
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["envoy", "-c", "/etc/envoy/envoy.yaml"]
"""

PROMETHEUS_FILE = """FROM scratch
COPY root /
COPY --chown=65534:65534 data /prometheus
USER 65534:65534
WORKDIR /prometheus
VOLUME /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
"""


def build():
    """Builds both, and returns the variables that have the compose file use them."""
    envoy = fresh("envoy")
    place(envoy, envoy_binary(), "usr/local/bin/envoy")
    place(envoy, "/bin/sh", "bin/sh")
    entrypoint = envoy / "docker-entrypoint.sh"
    entrypoint.write_text(ENTRYPOINT)
    entrypoint.chmod(0o755)
    image(envoy, ENVOY, ENVOY_FILE)

    prometheus = fresh("prometheus")
    place(prometheus, shutil.which("prometheus"), "bin/prometheus")
    (prometheus.parent / "data").mkdir()
    image(prometheus, PROMETHEUS, PROMETHEUS_FILE)
    return {"NARROWS_ENVOY_IMAGE": ENVOY, "NARROWS_PROMETHEUS_IMAGE": PROMETHEUS}


def missing():
    """What this machine lacks to build them."""
    if not shutil.which("prometheus"):
        return "no prometheus on the PATH; Debian has it as a package: apt-get install prometheus"
    return None


def fresh(name):
    """The root of an image to be, empty but for a folder for temporary files."""
    context = ROOT / "target/images" / name
    shutil.rmtree(context, ignore_errors=True)
    (context / "root/tmp").mkdir(parents=True)
    (context / "root/tmp").chmod(0o1777)
    return context / "root"


def image(root, tag, dockerfile):
    command = ["docker", "build", "--quiet", "--tag", tag, "--file", "-", str(root.parent)]
    done = subprocess.run(command, input=dockerfile, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"cannot build {tag}:\n{done.stderr}")


def place(root, binary, at):
    """Copies an executable, with its loader and libraries where it looks for them."""
    binary = os.path.realpath(binary)
    wanted = subprocess.run(["ldd", binary], capture_output=True, text=True).stdout
    for source, target in [(binary, at)] + [(lib, lib.lstrip("/")) for lib in re.findall(r"/\S+", wanted)]:
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(source), root / target)


def envoy_binary():
    """The executable behind `ENVOY`: the wheel installs a script that starts it."""
    path = pathlib.Path(os.environ.get("ENVOY") or ROOT / ".venv/bin/envoy")
    if path.read_bytes()[:2] != b"#!":
        return path
    found = list(path.resolve().parents[1].glob("lib/python*/site-packages/envoy/_bin/envoy"))
    if len(found) != 1:
        raise SystemExit(f"no Envoy behind {path}: run make envoy")
    return found[0]
