#!/usr/bin/env bash
# What a release has, in a folder of its own: the modules, their images as OCI archives, the command line, bills of
# materials, checksums. `make release` calls it with the folder, the command line, and cargo-cyclonedx. But for the
# time and the number in the bills of materials, the same sources give the same bytes on every machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1 narrows=$2 cyclonedx=$3
rm -rf "$out" && mkdir -p "$out"
layouts=$(mktemp -d)
bill=narrows-release.cdx
trap 'rm -rf "$layouts"; find crates filters tests -name "$bill.json" -delete' EXIT

program=narrows-$(uname -m)-linux
install -m 644 dist/*.wasm "$out"
install -m 755 "$narrows" "$out/$program"

# Read by `skopeo copy oci-archive:…`. The digest is that of the pushed image.
for module in dist/*.wasm; do
  name=$(basename "$module" .wasm)
  digest=$("$narrows" pack "$module" --out "$layouts/$name")
  tar --create --file "$out/$name.oci.tar" --directory "$layouts/$name" --format=ustar --sort=name --mtime=@0 \
    --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r,a-s .
  echo "$digest  $name" >> "$out/IMAGES"
done

# One for each crate of the workspace, beside it; those of what is released are kept.
bills() {
  "$cyclonedx" cyclonedx --quiet --format json --spec-version 1.5 --override-filename "$bill" --no-build-deps --target "$1"
}
bills wasm32-unknown-unknown
for filter in filters/*/; do mv "$filter$bill.json" "$out/$(basename "$filter").wasm.cdx.json"; done
bills "$(uname -m)-unknown-linux-musl"
mv "crates/cli/$bill.json" "$out/$program.cdx.json"
# Where the sources lie on this machine is nobody's business.
sed --in-place "s|path+file://$PWD|path+file:///narrows|g" "$out"/*.cdx.json

(cd "$out" && sha256sum -- * > SHA256SUMS)

# What is handed out runs, and holds what it says.
LC_ALL=C ldd "$out/$program" 2>&1 | grep -q 'statically linked\|not a dynamic' || { echo "$program is not linked statically" >&2; exit 1; }
"$out/$program" --version
grep -q '"name": "serde"' "$out/header-router.wasm.cdx.json"
grep -q '"name": "clap"' "$out/$program.cdx.json"
if grep --files-with-matches --fixed-strings "$PWD/" "$out"/*.cdx.json; then
  echo "a bill of materials says where this machine has the sources" >&2
  exit 1
fi
(cd "$out" && sha256sum --check --quiet SHA256SUMS && wc --bytes -- * && cat IMAGES)
