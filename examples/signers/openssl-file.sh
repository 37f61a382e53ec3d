#!/usr/bin/env bash
# A minimal implementation of the protocol, for tests: signs with a key file through openssl. For a root key in a file,
# use trust.signer {type: local}, which encrypts it, and --root-dir to keep it outside the work directory.
#
# Keep the key file outside the work directory, readable only by you:
#   (umask 077; mkdir -p ~/mesh-signer && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
#     -out ~/mesh-signer/root-key.pem)
#
# Copy this script to the work directory. In mesh.yaml (argv is not passed to a shell, so ~ is not expanded):
#   trust:
#     signer: {type: command, argv: [./openssl-file.sh, /home/ME/mesh-signer/root-key.pem]}
set -euo pipefail

key=$1 verb=$2

case $verb in
  public-key) openssl pkey -in "$key" -pubout ;;
  sign)
    case $3 in
      sha256WithRSAEncryption | ecdsa-with-SHA256) openssl dgst -sha256 -sign "$key" ;;
      ecdsa-with-SHA384) openssl dgst -sha384 -sign "$key" ;;
      *)
        echo "cannot sign with $3" >&2
        exit 1
        ;;
    esac
    ;;
esac
