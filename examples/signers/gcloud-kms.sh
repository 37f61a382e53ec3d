#!/usr/bin/env bash
# Signs with a key version of Google Cloud KMS, created with the algorithm RSA_SIGN_PKCS1_2048_SHA256, ..._3072_SHA256,
# ..._4096_SHA256, EC_SIGN_P256_SHA256 or EC_SIGN_P384_SHA384. A Cloud KMS key has one fixed hash: keys with SHA512 are
# not supported.
#
#   trust:
#     signer: {type: command, argv: [./gcloud-kms.sh, LOCATION, KEYRING, KEY, VERSION]}
#
# Uses the credentials and project of gcloud; requires the role roles/cloudkms.signerVerifier on the key.
# Written from the documentation of `gcloud kms asymmetric-sign`; not tested against Google Cloud.
set -euo pipefail

location=$1 keyring=$2 key=$3 version=$4 verb=$5

case $verb in
  public-key)
    gcloud kms keys versions get-public-key "$version" \
      --location "$location" --keyring "$keyring" --key "$key"
    ;;
  sign)
    case $6 in
      sha256WithRSAEncryption | ecdsa-with-SHA256) hash=sha256 ;;
      ecdsa-with-SHA384) hash=sha384 ;;
      *)
        echo "cannot sign with $6" >&2
        exit 1
        ;;
    esac
    directory=$(mktemp -d)
    trap 'rm -rf "$directory"' EXIT
    cat >"$directory/message"
    gcloud kms asymmetric-sign --location "$location" --keyring "$keyring" --key "$key" --version "$version" \
      --digest-algorithm "$hash" --input-file "$directory/message" --signature-file "$directory/signature"
    cat "$directory/signature"
    ;;
esac
