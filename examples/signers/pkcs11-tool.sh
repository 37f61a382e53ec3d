#!/usr/bin/env bash
# Signs with a key in a PKCS#11 token (an HSM, a smart card, softhsm2) through OpenSC's pkcs11-tool.
#
#   trust:
#     signer: {type: command, argv: [./pkcs11-tool.sh, /usr/lib/softhsm/libsofthsm2.so, TOKEN, ID]}
#
# TOKEN is the token's label, ID the key's ID in hexadecimal digits (pkcs11-tool --list-objects shows it). Not its label:
# OpenSC's --sign up to 0.23 overlooks that, and takes the first key of the token.
# The PIN comes from the variable PKCS11_PIN, else it is asked for at the terminal.
# Tried with softhsm2 2.6 and OpenSC 0.23, RSA and ECDSA.
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
      (: </dev/tty) 2>/dev/null || { echo "no terminal to ask for the PIN of $token: set PKCS11_PIN" >&2; exit 1; }
      # Standard input is the message, so the question goes to the terminal itself.
      read -rsp "PIN of $token: " PKCS11_PIN </dev/tty 2>/dev/tty
      echo >/dev/tty
    fi
    export PKCS11_PIN
    case $5 in
      sha256WithRSAEncryption)
        tool --login --pin env:PKCS11_PIN --sign --mechanism SHA256-RSA-PKCS --input-file "$message"
        ;;
      ecdsa-with-SHA256 | ecdsa-with-SHA384)
        # Every token knows ECDSA; fewer hash by themselves. "openssl" is DER, which is what is asked for.
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
