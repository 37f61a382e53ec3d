#!/usr/bin/env bash
# Two primary clusters in one mesh, under one root CA, step by step. `kubectl mesh up` does the same in one command.
#
#   export WORK_DIR=~/mesh MESH=mesh1
#   export CLUSTER_1=cluster1 CTX_1=kind-cluster1 NETWORK_1=network1
#   export CLUSTER_2=cluster2 CTX_2=kind-cluster2 NETWORK_2=network1
#   examples/two-clusters.sh
#
# The root key is encrypted: its passphrase is read from KUBECTL_MESH_PASSPHRASE or from a prompt.
set -euo pipefail

: "${WORK_DIR:?set it to the work directory}" "${MESH:?set it to the mesh ID}"
: "${CLUSTER_1:?set it to a cluster name}" "${CTX_1:?set it to its kubeconfig context}"
: "${CLUSTER_2:?set it to a cluster name}" "${CTX_2:?set it to its kubeconfig context}"
: "${NETWORK_1:?set it to the network of cluster 1}" "${NETWORK_2:?set it to the network of cluster 2}"
export WORK_DIR MESH CLUSTER_1 CTX_1 NETWORK_1 CLUSTER_2 CTX_2 NETWORK_2

kubectl mesh init --from-env # reads the variables into mesh.yaml
kubectl mesh certs generate  # one root CA, a cluster CA for each cluster
kubectl mesh trust push      # namespace, network label, Secret cacerts
kubectl mesh install render  # CLUSTER/install.yaml
kubectl mesh install apply   # istioctl, one cluster first, then the rest
kubectl mesh link            # remote secrets, with which each istiod reads the other cluster
kubectl mesh verify --wait --timeout 5m
