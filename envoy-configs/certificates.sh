#!/bin/sh
# Makes what Istio's control plane would give each proxy: a certificate whose only name
# is its SPIFFE identity, by one authority. For the local mesh and the tests; nothing
# here is a secret, and all of it is made anew at each start.
#
#   certificates.sh DIRECTORY [NAMESPACE/ACCOUNT...]
#
# writes ca.pem, and NAMESPACE.ACCOUNT.pem and .key for each.
set -eu
directory=$1
shift
[ $# -gt 0 ] || set -- istio-system/istio-egressgateway-service-account shop/checkout shop/web
mkdir -p "$directory"
cd "$directory"

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1" 2>/dev/null; }

[ -f ca.pem ] || {
  new_key ca.key
  openssl req -x509 -new -key ca.key -sha256 -days 2 -subj "/O=cluster.local" -out ca.pem
}
for account; do
  name=$(echo "$account" | tr / .)
  namespace=${account%%/*}
  new_key "$name.key"
  openssl req -new -key "$name.key" -subj "/" -out "$name.csr"
  {
    echo "subjectAltName=critical,URI:spiffe://cluster.local/ns/$namespace/sa/${account#*/}"
    echo "keyUsage=critical,digitalSignature"
    echo "extendedKeyUsage=serverAuth,clientAuth"
    echo "basicConstraints=critical,CA:FALSE"
  } > "$name.ext"
  openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 2 \
    -extfile "$name.ext" -out "$name.pem" 2>/dev/null
  rm "$name.csr" "$name.ext"
done
