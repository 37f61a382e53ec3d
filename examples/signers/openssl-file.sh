#!/usr/bin/env bash
# A minimal implementation of the protocol, for tests: signs with a key file through openssl. For a root key in a file,
# use trust.signer {type: local}, which encrypts it, and --root-dir to keep it outside the work directory.
#
# Name the key file *-key.pem, as covered by .gitignore and MESH106; keep it with mode 0600 outside the work directory:
#   (umask 077; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ~/mesh/root-key.pem)
#
#   trust:
#     signer: {type: command, argv: [./openssl-file.sh, KEY-FILE]}
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
