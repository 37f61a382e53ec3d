#!/usr/bin/env bash
# Cluster CAs signed by the company's CA: request, sign, import. The signing here is openssl's, with the key of a policy CA
# in a file; put your CA's own way in its place (a form, AD CS certreq, step, EJBCA's API), the rest stays.
#
#   export WORK_DIR=~/mesh
#   export ROOT_CERT=corporate-root.pem                        the root that all workloads shall trust
#   export CA_CERT=policy-ca.pem CA_KEY=policy-ca-key.pem      the CA that signs; CA_CERT may hold those above it, too
#   export DAYS=730                                            how long the CA signs for; 730 unless said otherwise
#   export KUBECTL_MESH_REASON="CHG-4711"                      where mesh.yaml asks for a reason (audit.reasonRequired)
#   examples/corporate-ca.sh cluster1 cluster2
#
# Renewal replaces a CA that is there, and asks; YES=1 (or -y as the first argument) agrees to it:
#   kubectl mesh certs request --renew cluster1 && YES=1 examples/corporate-ca.sh cluster1
#
# Running it again changes nothing: what is there and valid is kept. Then: kubectl mesh trust push
set -euo pipefail

: "${WORK_DIR:?the work directory}" "${ROOT_CERT:?the root certificate}"
: "${CA_CERT:?the certificate of the CA that signs}" "${CA_KEY:?its key}"
case ${1:-} in
  -y | --yes) YES=1 && shift ;;
esac
agree=()
[ "${YES:-0}" != 1 ] || agree=(--yes)
[ $# -gt 0 ] || { echo "usage: $0 [-y] CLUSTER..." >&2; exit 2; }
export WORK_DIR

answers=$(mktemp -d)
trap 'rm -rf "$answers"' EXIT

# What istiod needs; the request asks for it, but openssl x509 copies no extensions by itself.
cat >"$answers/profile" <<'PROFILE'
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, digitalSignature, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
PROFILE

kubectl mesh certs request "$@" # CLUSTER/request/ca.csr; the key stays beside it

for cluster in "$@"; do
  request=$(kubectl mesh certs request "$cluster" --quiet -o csr)
  [ -n "$request" ] || continue # it has its CA already
  openssl x509 -req -sha256 -days "${DAYS:-730}" -CA "$CA_CERT" -CAkey "$CA_KEY" \
    -set_serial "0x$(openssl rand -hex 16)" -extfile "$answers/profile" <<<"$request" >"$answers/$cluster.pem"
  kubectl mesh certs import "$cluster" "$answers/$cluster.pem" "$CA_CERT" --root "$ROOT_CERT" ${agree[@]+"${agree[@]}"}
done

kubectl mesh certs list "$@"
