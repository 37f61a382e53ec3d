#!/usr/bin/env bash
# Cluster CAs signed by your company's CA: request, sign, import. This script signs with openssl and a policy CA's key
# file; replace that step with your CA's interface (a form, AD CS certreq, step, EJBCA's API).
#
#   export WORK_DIR=~/mesh
#   export ROOT_CERT=corporate-root.pem                        the root that all workloads must trust
#   export CA_CERT=policy-ca.pem CA_KEY=policy-ca-key.pem      the CA that signs; CA_CERT may include its issuing CAs
#   export DAYS=730                                            validity of the cluster CAs in days (default: 730)
#   export KUBECTL_MESH_REASON="CHG-4711"                      if mesh.yaml requires a reason (audit.reasonRequired)
#   examples/corporate-ca.sh cluster1 cluster2
#
# Renewal replaces an existing CA after a confirmation prompt; YES=1 (or -y as the first argument) skips the prompt:
#   kubectl mesh certs request --renew cluster1 && YES=1 examples/corporate-ca.sh cluster1
#
# Running it again changes nothing: valid existing files are kept. Next step: kubectl mesh trust push
set -euo pipefail

: "${WORK_DIR:?set it to the work directory}" "${ROOT_CERT:?set it to the root certificate}"
: "${CA_CERT:?set it to the certificate of the CA that signs}" "${CA_KEY:?set it to the key of that CA}"
case ${1:-} in
  -y | --yes) YES=1 && shift ;;
esac
yes=()
[ "${YES:-0}" != 1 ] || yes=(--yes)
[ $# -gt 0 ] || { echo "usage: $0 [-y] CLUSTER..." >&2; exit 2; }
export WORK_DIR

signed=$(mktemp -d)
trap 'rm -rf "$signed"' EXIT

# The extensions that istiod requires: the request contains them, but openssl x509 does not copy them by default.
cat >"$signed/profile" <<'PROFILE'
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, digitalSignature, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
PROFILE

kubectl mesh certs request "$@" # CLUSTER/request/ca.csr; the key stays beside it

for cluster in "$@"; do
  request=$(kubectl mesh certs request "$cluster" --quiet -o csr)
  [ -n "$request" ] || continue # the cluster already has its CA
  openssl x509 -req -sha256 -days "${DAYS:-730}" -CA "$CA_CERT" -CAkey "$CA_KEY" \
    -set_serial "0x$(openssl rand -hex 16)" -extfile "$signed/profile" <<<"$request" >"$signed/$cluster.pem"
  kubectl mesh certs import "$cluster" "$signed/$cluster.pem" "$CA_CERT" --root "$ROOT_CERT" ${yes[@]+"${yes[@]}"}
done

kubectl mesh certs list "$@"
