import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import {describe, expect, it} from 'vitest';
import {type KeyAlgorithm, spkiHash} from '../../../src/domain/keys/keys.js';
import {inspectCaFiles} from '../../../src/domain/ca/inspect-ca.js';
import {bundleOf, tinyClusterCa, tinyLeaf, tinyRoot} from '../../helpers/tiny-ca.js';
import {openssl, temporaryFiles} from '../../helpers/openssl.js';

const now = new Date();

const pairs: readonly (readonly [root: KeyAlgorithm, cluster: KeyAlgorithm])[] = [
  ['rsa-2048', 'rsa-2048'],
  ['rsa-3072', 'ecdsa-p384'],
  ['ecdsa-p256', 'ecdsa-p256'],
  ['ecdsa-p256', 'rsa-2048'],
  ['ecdsa-p384', 'ecdsa-p256'],
  ['ecdsa-p384', 'ecdsa-p384'],
];

describe.each(pairs)('a %s root with a %s cluster CA', (rootAlgorithm, clusterAlgorithm) => {
  it('passes openssl verify -x509_strict as server and as client down to a leaf', async () => {
    const root = await tinyRoot({algorithm: rootAlgorithm, meshID: 'mesh1'});
    const ca = await tinyClusterCa(root, 'cluster1', {algorithm: clusterAlgorithm});
    const leaf = await tinyLeaf(ca);
    const path = temporaryFiles({
      'root.pem': root.certificate.pem,
      'ca.pem': ca.certificate.pem,
      'leaf.pem': leaf.certificate.pem,
    });
    for (const purpose of ['sslserver', 'sslclient']) {
      const output = openssl([
        ...['verify', '-x509_strict', '-purpose', purpose, '-CAfile', path('root.pem')],
        ...['-untrusted', path('ca.pem'), path('leaf.pem')],
      ]);
      expect(output).toContain('leaf.pem: OK');
    }
  });

  it('has the same content in @peculiar/x509', async () => {
    const root = await tinyRoot({algorithm: rootAlgorithm});
    const ca = await tinyClusterCa(root, 'cluster1', {algorithm: clusterAlgorithm});
    const read = new x509.X509Certificate(ca.certificate.pem);
    expect(read.serialNumber.replace(/^0+/, '')).toBe(ca.certificate.serial.replace(/^0+/, ''));
    expect(read.subject).toBe('O=Istio, CN=Intermediate CA, L=cluster1');
    expect(read.issuer).toBe(root.certificate.subject.text);
    expect(read.notAfter).toEqual(ca.certificate.notAfter);
    expect(ca.certificate.spki).toBe(spkiHash(ca.certificate.publicKey));
    const basic = read.getExtension(x509.BasicConstraintsExtension);
    expect({ca: basic?.ca, pathLength: basic?.pathLength, critical: basic?.critical}).toEqual({
      ca: true,
      pathLength: 0,
      critical: true,
    });
    const usage = x509.KeyUsageFlags;
    const usages = read.getExtension(x509.KeyUsagesExtension);
    expect(usages?.usages).toBe(usage.digitalSignature | usage.keyCertSign | usage.cRLSign);
    expect(usages?.critical).toBe(true);
    expect(read.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId).toBe(ca.certificate.extensions.subjectKeyId);
    expect(read.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(
      root.certificate.extensions.subjectKeyId,
    );
    expect(await read.verify({publicKey: new x509.X509Certificate(root.certificate.pem).publicKey})).toBe(true);
  });

  it('has no findings, and istiod loads it', async () => {
    const root = await tinyRoot({algorithm: rootAlgorithm});
    const ca = await tinyClusterCa(root, 'cluster1', {algorithm: clusterAlgorithm});
    expect(inspectCaFiles(bundleOf(ca, [root]), {now})).toMatchObject({loads: true, findings: []});
  });
});

describe('a root CA', () => {
  it('is self-signed, without path length, for 3650 days, starting five minutes back', async () => {
    const root = await tinyRoot({now: new Date('2026-05-01T12:00:00.500Z'), meshID: 'mesh1'});
    expect(root.certificate).toMatchObject({
      version: 3,
      selfSigned: true,
      notBefore: new Date('2026-05-01T11:55:00Z'),
      notAfter: new Date('2036-04-28T12:00:00Z'),
      extensions: {
        basicConstraints: {ca: true, critical: true},
        keyUsage: {usages: ['digitalSignature', 'keyCertSign', 'cRLSign'], critical: true},
      },
    });
    expect(root.certificate.extensions.basicConstraints).not.toHaveProperty('pathLength');
    expect(root.certificate.subject.text).toBe(
      `O=Istio, CN=mesh1 Root CA 2026-05 ${root.certificate.spki.slice(0, 4)}`,
    );
  });

  it('can expire after 2049, from when on times are encoded as GeneralizedTime', async () => {
    const root = await tinyRoot({now: new Date('2026-05-01T12:00:00Z'), days: 36500});
    const path = temporaryFiles({'root.pem': root.certificate.pem});
    expect(openssl(['x509', '-in', path('root.pem'), '-noout', '-enddate'])).toContain('2126');
    expect(root.certificate.notAfter.getUTCFullYear()).toBe(2126);
  });
});

describe('a cluster CA', () => {
  it('never outlives its issuer and never starts before it', async () => {
    const root = await tinyRoot({days: 100});
    const ca = await tinyClusterCa(root, 'cluster1', {days: 730});
    expect(ca.certificate.notAfter).toEqual(root.certificate.notAfter);
    expect(ca.certificate.notBefore.getTime()).toBeGreaterThanOrEqual(root.certificate.notBefore.getTime());
  });

  it('is not issued under an expired root', async () => {
    const root = await tinyRoot({now: new Date('2020-01-01T00:00:00Z'), days: 10});
    await expect(tinyClusterCa(root, 'cluster1')).rejects.toMatchObject({code: 'ISSUE_FAILED'});
  });
});
