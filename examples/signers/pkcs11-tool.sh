#!/usr/bin/env bash
# Signs with a key in a PKCS#11 token (an HSM, a smart card, softhsm2) through OpenSC's pkcs11-tool.
#
#   trust:
#     signer: {type: command, argv: [./pkcs11-tool.sh, /usr/lib/softhsm/libsofthsm2.so, TOKEN, ID]}
#
# TOKEN is the token's label, ID the key's ID in hexadecimal digits (see pkcs11-tool --list-objects). Do not use the
# key's label: OpenSC's --sign up to 0.23 ignores it and uses the first key of the token.
# The PIN is read from the variable PKCS11_PIN, otherwise from a prompt on the terminal.
# Tested with softhsm2 2.6 and OpenSC 0.23, RSA and ECDSA.
set -euo pipefail

module=$1 token=$2 id=$3 verb=$4

tool() {
  pkcs11-tool --module "$module" --token-label "$token" --id "$id" "$@"
}

case $verb in
  public-key)
    # DER, SubjectPublicKeyInfo. Public objects need no PIN.
    tool --read-object --type pubkey
    ;;
  sign)
    directory=$(mktemp -d)
    trap 'rm -rf "$directory"' EXIT
    message=$directory/message
    cat >"$message"
    if [ -z "${PKCS11_PIN:-}" ]; then
      (: </dev/tty) 2>/dev/null || { echo "PIN of $token required, but no terminal is attached: set PKCS11_PIN" >&2; exit 1; }
      # Standard input is the message, so the prompt uses the terminal directly.
      read -rsp "PIN of $token: " PKCS11_PIN </dev/tty 2>/dev/tty
      echo >/dev/tty
    fi
    export PKCS11_PIN
    case $5 in
      sha256WithRSAEncryption)
        tool --login --pin env:PKCS11_PIN --sign --mechanism SHA256-RSA-PKCS --input-file "$message"
        ;;
      ecdsa-with-SHA256 | ecdsa-with-SHA384)
        # All tokens support ECDSA, fewer compute the hash. The signature format "openssl" is DER, as required.
        openssl dgst "-sha${5#ecdsa-with-SHA}" -binary -out "$directory/digest" "$message"
        tool --login --pin env:PKCS11_PIN --sign --mechanism ECDSA --signature-format openssl \
          --input-file "$directory/digest"
        ;;
      *)
        echo "cannot sign with $5" >&2
        exit 1
        ;;
    esac
    ;;
esac
