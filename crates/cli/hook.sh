#!/bin/sh
# Runs narrows for pre-commit and for the GitHub Action: the one on the path if it is of this version, else
# one that is built from this checkout, once. `hook.sh` alone builds it and prints where it is.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" | head -n 1)
narrows=$(command -v narrows || true)
if [ -z "$narrows" ] || [ "$("$narrows" --version 2>/dev/null)" != "narrows $version" ]; then
    narrows=$here/target/hook/release/narrows
    command -v cargo >/dev/null || { echo "no narrows $version on the path, and no cargo to build it: install Rust, or put narrows on the path" >&2; exit 2; }
    (cd "$here" && cargo build --quiet --locked --release --package narrows --target-dir target/hook) >&2
fi
[ $# -gt 0 ] || { echo "$narrows"; exit; }
exec "$narrows" "$@"
