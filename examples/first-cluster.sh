#!/usr/bin/env bash
# The first cluster of a mesh: the steps and variables of "Initial configuration" in Istio's multicluster guide.
#
#   export WORK_DIR=~/mesh MESH=mesh1 CLUSTER_1=cluster1 CTX_1=kind-cluster1 NETWORK_1=network1
#   examples/first-cluster.sh
#
# The root key is encrypted: its passphrase is read from KUBECTL_MESH_PASSPHRASE or from a prompt.
set -euo pipefail

: "${WORK_DIR:?set it to the work directory}" "${MESH:?set it to the mesh ID}"
: "${CLUSTER_1:?set it to the cluster name}" "${CTX_1:?set it to its kubeconfig context}"
: "${NETWORK_1:?set it to its network}"
export WORK_DIR # each command reads it

kubectl mesh certs generate "$CLUSTER_1" --mesh-id "$MESH"
kubectl mesh trust push "$CLUSTER_1" --context "$CTX_1"
kubectl mesh install render "$CLUSTER_1" --network "$NETWORK_1"
kubectl mesh install apply "$CLUSTER_1"
kubectl mesh verify "$CLUSTER_1" --wait --timeout 3m
