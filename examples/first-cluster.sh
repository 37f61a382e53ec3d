#!/usr/bin/env bash
# The first cluster of a mesh: the whole page "Initial configuration" of Istio's multicluster guide, with its variables and
# in its order.
#
#   export WORK_DIR=~/mesh MESH=mesh1 CLUSTER_1=cluster1 CTX_1=kind-cluster1 NETWORK_1=network1
#   examples/first-cluster.sh
#
# The root key is written encrypted: its passphrase is asked for on a terminal, or taken from KUBECTL_MESH_PASSPHRASE.
set -euo pipefail

: "${WORK_DIR:?the directory for certificates and install.yaml}" "${MESH:?the mesh ID}"
: "${CLUSTER_1:?the cluster name}" "${CTX_1:?its kubeconfig context}" "${NETWORK_1:?its network}"
export WORK_DIR # each command reads it
mkdir -p "$WORK_DIR"

kubectl mesh certs generate "$CLUSTER_1"
kubectl mesh trust push "$CLUSTER_1" --context "$CTX_1"
kubectl mesh install render "$CLUSTER_1" --mesh-id "$MESH" --network "$NETWORK_1"
kubectl mesh install apply "$CLUSTER_1"
kubectl mesh verify "$CLUSTER_1" --wait --timeout 3m
