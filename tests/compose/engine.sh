#!/usr/bin/env bash
# Runs a command beside a Docker engine of its own: Debian's, in namespaces that end with the command, and with them
# its processes, firewall rules and mounts. Exit code 77 says that this machine cannot have one, and why; what can be
# installed and is not there fails.
#   tests/compose/engine.sh python3 tests/compose
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/target/tools/engine
group=narrows-engine
# Of a block that is set apart for tests of networks.
resolver=198.18.0.53

cannot() { echo "SKIPPED: no Docker engine can run here: $*" >&2; exit 77; }
fails() { echo "no Docker engine runs here: $*" >&2; exit 1; }

if [ "${1:-}" = inside ]; then
  shift
  # Containers, logs and sockets are of this engine alone, and go with it.
  mount -t tmpfs tmpfs /run || cannot "no mount"
  ip link set lo up || cannot "no network"
  # The machine's name server is out of reach from here: one that knows no name stands in for it, where containers
  # reach it too. It ends with the namespace.
  ip address add "$resolver/32" dev lo || cannot "no address of its own"
  tests/compose/nobody.py "$resolver" &
  echo "nameserver $resolver" > /run/resolv.conf
  mount --bind /run/resolv.conf "$(realpath /etc/resolv.conf)" || cannot "no mount over /etc/resolv.conf"
  mkdir -p "$tools/data"
  PATH=$tools/usr/sbin:$tools/usr/bin:$PATH
  export PATH DOCKER_HOST=unix:///run/docker.sock
  dockerd --host "$DOCKER_HOST" --data-root "$tools/data" --exec-root /run/docker \
    --cgroup-parent "/$group" > "$tools/log" 2>&1 &
  engine=$!
  for _ in $(seq 300); do docker info > /dev/null 2>&1 && break; sleep 0.2; done
  docker info > /dev/null 2>&1 || fails "dockerd does not answer: $(tail -n 5 "$tools/log")"
  code=0
  "$@" || code=$?
  # In order, so that no mount of a container is left in its data.
  kill "$engine" && wait "$engine" || true
  exit $code
fi

[ "$(id -u)" = 0 ] || cannot "it needs root"
command -v apt-get > /dev/null || cannot "no apt-get, which has Debian's engine"
# docker-compose starts no service. The engine's own package would: it is unpacked, not installed.
if ! { command -v docker-compose && command -v iptables && ldconfig -p | grep libdevmapper; } > /dev/null; then
  install="apt-get install -y -qq --no-install-recommends docker-compose iptables libdevmapper1.02.1"
  { DEBIAN_FRONTEND=noninteractive $install || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive $install; }; } \
    > /dev/null 2>&1 || fails "docker-compose cannot be installed"
fi
if [ ! -x "$tools/usr/sbin/dockerd" ]; then
  mkdir -p "$tools" && cd "$tools"
  for package in docker.io containerd runc tini; do
    { apt-get download -qq $package || { apt-get update -qq && apt-get download -qq $package; }; } > /dev/null 2>&1 \
      || fails "$package cannot be downloaded"
    dpkg-deb --extract "$package"_*.deb . && rm "$package"_*.deb
  done
  cd - > /dev/null
fi

code=0
unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc --propagation private true \
  || cannot "no namespaces of its own"
unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc --propagation private \
  -- "$0" inside "$@" || code=$?
rm -rf "$tools/data"
# The kernel keeps the control groups, empty.
find /sys/fs/cgroup -depth -type d -path "*/$group*" -exec rmdir {} + 2> /dev/null || true
exit $code
