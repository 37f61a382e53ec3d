#!/usr/bin/env bash
# Signs with an asymmetric key of AWS KMS (key usage SIGN_VERIFY; RSA_2048 to RSA_4096, ECC_NIST_P256, ECC_NIST_P384).
#
#   trust:
#     signer: {type: command, argv: [./aws-kms.sh, KEY-ID-OR-ALIAS]}
#
# Uses the credentials and region of the aws command; requires kms:GetPublicKey and kms:Sign.
# Written from the documentation of `aws kms sign` and `aws kms get-public-key`; not tested against AWS.
set -euo pipefail

key=$1 verb=$2

case $verb in
  public-key)
    aws kms get-public-key --key-id "$key" --query PublicKey --output text | base64 --decode
    ;;
  sign)
    case $3 in
      sha256WithRSAEncryption) algorithm=RSASSA_PKCS1_V1_5_SHA_256 hash=sha256 ;;
      ecdsa-with-SHA256) algorithm=ECDSA_SHA_256 hash=sha256 ;;
      ecdsa-with-SHA384) algorithm=ECDSA_SHA_384 hash=sha384 ;;
      *)
        echo "cannot sign with $3" >&2
        exit 1
        ;;
    esac
    directory=$(mktemp -d)
    trap 'rm -rf "$directory"' EXIT
    # KMS accepts messages of at most 4096 bytes; signing the digest gives the same signature for any length.
    openssl dgst "-$hash" -binary -out "$directory/digest"
    aws kms sign --key-id "$key" --signing-algorithm "$algorithm" \
      --message-type DIGEST --message "fileb://$directory/digest" --query Signature --output text | base64 --decode
    ;;
esac
