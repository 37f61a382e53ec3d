#!/usr/bin/env bash
# A daily pipeline job: prints the forecast, and fails if a certificate that workloads depend on expires within 30 days
# (or the given duration). Requires a checkout of the work directory, without keys; no cluster is accessed.
#
#   WORK_DIR=~/mesh examples/ci-expiry.sh [30d]
set -euo pipefail

: "${WORK_DIR:?set it to the checkout of the work directory}"
export WORK_DIR # each command reads it
within=${1:-30d}

code=0
kubectl mesh certs list --within "$within" --fail-on warning || code=$?
case $code in
  0) echo "No certificate in use expires within $within." ;;
  3) echo "Renew the certificates listed above: kubectl mesh certs generate CLUSTER --renew, then kubectl mesh trust push CLUSTER." >&2 ;;
  4) echo "A cluster has no certificate in this checkout: its expiry is unknown." >&2 ;;
  *) echo "The work directory cannot be read: all expiry dates are unknown." >&2 ;;
esac
exit "$code"
