/**
 * The openssl calls of Istio's tools/certs/Makefile.selfsigned.mk for `root-ca` and `NAME-cacerts`, in the same order and
 * one after the other, as make runs them (istio/istio tools/certs/Makefile.selfsigned.mk, common.mk). The configuration
 * files, which the Makefile writes with echo line by line, are written beforehand: that favours openssl.
 */
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Child} from './sandbox.js';

/** The Makefile only generates RSA 4096 keys; the others replace that one step. */
const newKey = {
  'rsa-2048': 'openssl genrsa -out "$1" 2048',
  'rsa-4096': 'openssl genrsa -out "$1" 4096',
  'ecdsa-p256': 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"',
} as const;

/** Prepares the steps for these clusters in an empty directory. Returns the child process that runs them. */
export async function makefileSteps(
  directory: string,
  clusters: readonly string[],
  algorithm: keyof typeof newKey,
): Promise<Child> {
  await writeFile(join(directory, 'root-ca.conf'), configuration('', ['CN = Root CA']));
  for (const name of clusters) {
    await mkdir(join(directory, name));
    const ca = configuration(', pathlen:0', ['CN = Intermediate CA', `L = ${name}`], 'DNS:istiod.istio-system.svc');
    await writeFile(join(directory, name, 'intermediate.conf'), ca);
  }
  const script = `set -e
new_key() { ${newKey[algorithm]}; }
new_key root-key.pem
openssl req -new -key root-key.pem -config root-ca.conf -out root-cert.csr
openssl x509 -req -days 3650 -signkey root-key.pem -extensions req_ext -extfile root-ca.conf -in root-cert.csr -out root-cert.pem
for name; do
  new_key "$name/ca-key.pem"
  openssl req -new -config "$name/intermediate.conf" -key "$name/ca-key.pem" -out "$name/cluster-ca.csr"
  openssl x509 -req -days 730 -CA root-cert.pem -CAkey root-key.pem -CAcreateserial -extensions req_ext \\
    -extfile "$name/intermediate.conf" -in "$name/cluster-ca.csr" -out "$name/ca-cert.pem"
  cat "$name/ca-cert.pem" root-cert.pem > "$name/cert-chain.pem"
  cp root-cert.pem "$name/"
done`;
  return {file: 'sh', args: ['-c', script, 'makefile-steps', ...clusters], cwd: directory};
}

function configuration(constraint: string, subject: readonly string[], alternativeName?: string): string {
  return `[ req ]
encrypt_key = no
prompt = no
utf8 = yes
default_md = sha256
req_extensions = req_ext
distinguished_name = req_dn
[ req_ext ]
subjectKeyIdentifier = hash
basicConstraints = critical, CA:true${constraint}
keyUsage = critical, digitalSignature, nonRepudiation, keyEncipherment, keyCertSign
${alternativeName === undefined ? '' : `subjectAltName = ${alternativeName}\n`}[ req_dn ]
O = Istio
${subject.join('\n')}
`;
}
