#!/usr/bin/env bash
# A pipeline's daily job: fails when something that workloads depend on ends within 30 days (or what is said), and leaves
# the forecast in the log. Needs a checkout of the work directory without keys; no cluster is asked.
#
#   WORK_DIR=~/mesh examples/ci-expiry.sh [30d]
set -euo pipefail

: "${WORK_DIR:?the work directory, as in git}"
export WORK_DIR # each command reads it
within=${1:-30d}

code=0
kubectl mesh certs list --within "$within" --fail-on warning || code=$?
case $code in
  0) echo "Nothing in use ends within $within." ;;
  3) echo "Renew what is listed above: kubectl mesh certs generate CLUSTER --renew, then kubectl mesh trust push CLUSTER." >&2 ;;
  4) echo "A cluster has no certificate in this checkout: nothing is known of it." >&2 ;;
  *) echo "The work directory could not be read: nothing is known." >&2 ;;
esac
exit "$code"
