#!/bin/sh
# Makes the certificates of the local mesh and of the tests, by one authority. Nothing
# here is a secret, and all of it is made anew at each start.
#
#   certificates.sh DIRECTORY [NAMESPACE/ACCOUNT | SECRET=HOST[,HOST...]]...
#
# NAMESPACE/ACCOUNT    what Istio's control plane gives a workload: its only name is its
#                      SPIFFE identity. Writes NAMESPACE.ACCOUNT.pem and .key
# SECRET=HOST          what the credentialName of a Gateway holds. Writes SECRET.pem and .key
#
# and ca.pem. With a directory alone, all that the bootstraps here name.
set -eu
directory=$1
shift
[ $# -gt 0 ] || set -- \
  istio-system/istio-egressgateway-service-account shop/checkout shop/web \
  verrazzano-monitoring/prometheus-operator-kube-p-prometheus argocd/argocd-server \
  verrazzano-system/fluentd verrazzano-system/impersonate-api-user \
  hello-helidon-hello-helidon-appconf-cert-secret=hello-helidon-appconf.hello-helidon.1.2.3.4.nip.io \
  bobs-books-bobs-books-cert-secret=bobs-books.bobs-books.1.2.3.4.nip.io \
  'system-tls-admin=*.admin.example.com,*.vmi.system.admin.example.com' \
  'system-tls-managed1=*.managed1.example.com,*.vmi.system.managed1.example.com'
mkdir -p "$directory"
cd "$directory"

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1" 2>/dev/null; }

[ -f ca.pem ] || {
  new_key ca.key
  openssl req -x509 -new -key ca.key -sha256 -days 2 -subj "/O=cluster.local" -out ca.pem
}
for wanted; do
  case $wanted in
    *=*)
      name=${wanted%%=*}
      names=$(echo "${wanted#*=}" | sed 's/^/DNS:/; s/,/,DNS:/g')
      ;;
    *)
      name=$(echo "$wanted" | tr / .)
      names="URI:spiffe://cluster.local/ns/${wanted%%/*}/sa/${wanted#*/}"
      ;;
  esac
  new_key "$name.key"
  openssl req -new -key "$name.key" -subj "/" -out "$name.csr"
  {
    echo "subjectAltName=critical,$names"
    echo "keyUsage=critical,digitalSignature"
    echo "extendedKeyUsage=serverAuth,clientAuth"
    echo "basicConstraints=critical,CA:FALSE"
  } > "$name.ext"
  openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 2 \
    -extfile "$name.ext" -out "$name.pem" 2>/dev/null
  rm "$name.csr" "$name.ext"
done
