#!/usr/bin/env bash
# Clusters on one network, linked step by step. `kubectl mesh up` does the same in one command. The work directory needs a
# mesh.yaml such as the one beside this script.
#
#   export WORK_DIR=~/mesh
#   mkdir -p "$WORK_DIR" && cp examples/multi-primary-one-network/mesh.yaml "$WORK_DIR"   # and adapt it
#   examples/multi-primary-one-network/run.sh
#
# The root key is encrypted: its passphrase is read from KUBECTL_MESH_PASSPHRASE or from a prompt. LINK_FLAGS are added to
# `link`: --allow-local-address if all clusters run on this machine.
set -euo pipefail

: "${WORK_DIR:?set it to the work directory}"
export WORK_DIR

kubectl mesh certs generate # one root CA, a cluster CA for each cluster
kubectl mesh trust push     # namespace, network label, Secret cacerts
kubectl mesh install render # CLUSTER/install.yaml
kubectl mesh install apply  # istioctl, one cluster first, then the rest
# shellcheck disable=SC2086 # several flags
kubectl mesh link ${LINK_FLAGS:-} # a remote secret for each pair, proven by each istiod
kubectl mesh verify --wait --timeout 5m
kubectl mesh verify --traffic --only MESH6 # requests from each cluster to each, between pods that it creates and removes
