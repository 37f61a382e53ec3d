import {beforeAll, describe, expect, it} from 'vitest';
import {istiodServingNames} from '../../../src/domain/istio/names.js';
import {caFilesOfSecret, type CaFiles} from '../../../src/domain/ca/ca-files.js';
import {inspectCaFiles, requireValidBundle} from '../../../src/domain/ca/inspect-ca.js';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import type {CertificateTemplate} from '../../../src/domain/x509/certificate.js';
import {bitString, encodeDer} from '../../../src/domain/asn1/der.js';
import {encodePem} from '../../../src/domain/asn1/pem.js';
import {extensionOf, type Fields, mutatedCertificate} from '../../helpers/mutated-certificate.js';
import {openssl, temporaryFiles} from '../../helpers/openssl.js';
import {bundleOf, type TinyCa, tinyClusterCa, tinyLeaf, tinyRoot} from '../../helpers/tiny-ca.js';

// A minute ahead, because openssl's certificates start at the current second.
const now = new Date(Date.now() + 60_000);
const day = 24 * 60 * 60_000;
const ago = (days: number) => new Date(now.getTime() - days * day);

let root: TinyCa;
let ca: TinyCa;
let good: CaFiles;
beforeAll(async () => {
  root = await tinyRoot();
  ca = await tinyClusterCa(root, 'cluster1');
  good = bundleOf(ca, [root]);
});

const inspect = (
  files: CaFiles,
  options: {istioVersion?: string; keyMayBeMissing?: boolean; trustDomain?: string} = {},
) => inspectCaFiles(files, {now, ...options});
const ids = (files: CaFiles, options = {}) => inspect(files, options).findings.map(({id}) => id);
const refused = (files: CaFiles, options = {}) =>
  inspect(files, options)
    .findings.filter(({effect}) => effect === 'refused')
    .map(({id}) => id);

const extensions =
  (change: Partial<CertificateTemplate['extensions']>) =>
  (template: CertificateTemplate): CertificateTemplate => ({
    ...template,
    extensions: {...template.extensions, ...change},
  });

/** A certificate from openssl, for extensions that this program never writes; signed by `issuer`. */
function foreignCa(issuer: TinyCa, key: TinyCa, config: string): string {
  const path = temporaryFiles({
    'ca.pem': issuer.certificate.pem,
    'ca.key': writePrivateKey(issuer.key).reveal(),
    'key.pem': writePrivateKey(key.key).reveal(),
    ext: config,
  });
  const csr = openssl(['req', '-new', '-key', path('key.pem'), '-subj', '/O=Istio/CN=Foreign']);
  return openssl(
    [
      ...['x509', '-req', '-days', '30', '-CA', path('ca.pem'), '-CAkey', path('ca.key')],
      ...['-set_serial', '77', '-extfile', path('ext')],
    ],
    csr,
  );
}

describe('what istiod checks', () => {
  it('has no findings for valid files', () => {
    expect(inspect(good)).toMatchObject({loads: true, findings: [], certificate: {spki: ca.certificate.spki}});
  });

  it.each(['caCert', 'caKey', 'rootCert', 'certChain'] as const)('refuses files without %s', (part) => {
    expect(refused({...good, [part]: undefined})).toEqual(['incomplete']);
  });

  it('accepts a missing key if keys may be elsewhere', () => {
    expect(ids({...good, caKey: undefined}, {keyMayBeMissing: true})).toEqual([]);
  });

  it('refuses another root', async () => {
    expect(refused({...good, rootCert: (await tinyRoot()).certificate.pem})).toContain('not-trusted');
  });

  it('refuses an expired and a not yet valid CA', async () => {
    const oldRoot = await tinyRoot({now: ago(400)});
    const expired = await tinyClusterCa(oldRoot, 'c', {now: ago(100), days: 50});
    expect(refused(bundleOf(expired, [oldRoot]))).toEqual(['not-trusted', 'chain-expired']);
    const early = await tinyClusterCa(root, 'c', {now: ago(-10)});
    expect(refused(bundleOf(early, [root]))).toEqual(['not-trusted']);
  });

  it('accepts an expired root together with a valid one, with a finding', async () => {
    const expired = await tinyRoot({now: ago(400), days: 10});
    const files = {...good, rootCert: `${expired.certificate.pem}${root.certificate.pem}`};
    expect(inspect(files)).toMatchObject({loads: true});
    expect(ids(files)).toEqual(['root-expired']);
  });

  it('refuses an extended key usage without serverAuth', async () => {
    const limited = await tinyClusterCa(root, 'c', {change: extensions({extendedKeyUsage: ['clientAuth']})});
    expect(refused(bundleOf(limited, [root]))).toEqual(['not-trusted']);
  });

  it('loads a CA with only serverAuth, below which workloads cannot be clients', async () => {
    const limited = await tinyClusterCa(root, 'c', {change: extensions({extendedKeyUsage: ['serverAuth']})});
    const files = bundleOf(limited, [root]);
    expect(inspect(files).loads).toBe(true);
    expect(ids(files)).toEqual(['no-client-auth']);
  });

  it('refuses the key of another certificate', async () => {
    const other = await tinyClusterCa(root, 'c');
    expect(refused({...good, caKey: writePrivateKey(other.key)})).toEqual(['key-mismatch']);
  });

  it('refuses a leaf as CA', async () => {
    expect(refused(bundleOf(await tinyLeaf(ca), [ca, root]))).toContain('not-a-ca');
  });

  it('refuses a critical extension that Go does not support', () => {
    const pem = foreignCa(root, ca, 'basicConstraints=critical,CA:true\n1.2.3.4=critical,ASN1:NULL\n');
    expect(refused({...good, caCert: pem, certChain: `${pem}${good.rootCert ?? ''}`})).toEqual(['not-trusted']);
  });

  it('refuses a SHA-1 signature', () => {
    const path = temporaryFiles({
      'ca.pem': root.certificate.pem,
      'ca.key': writePrivateKey(root.key).reveal(),
      'key.pem': writePrivateKey(ca.key).reveal(),
      ext: 'basicConstraints=critical,CA:true\n',
    });
    const csr = openssl(['req', '-new', '-key', path('key.pem'), '-subj', '/CN=Old']);
    const pem = openssl(
      [
        'x509',
        '-req',
        '-sha1',
        '-CA',
        path('ca.pem'),
        '-CAkey',
        path('ca.key'),
        '-set_serial',
        '1',
        '-extfile',
        path('ext'),
      ],
      csr,
    );
    expect(refused({...good, caCert: pem, certChain: pem})).toEqual(['not-trusted']);
  });

  it('prefers tls.crt to the four files, from 1.14.2 on', () => {
    const data: Record<string, string | undefined> = {
      'tls.crt': good.caCert,
      'ca.crt': good.rootCert,
      'ca-cert.pem': 'ignored',
    };
    const files = caFilesOfSecret(
      (key) => data[key],
      (key) => (key === 'tls.key' ? good.caKey : undefined),
    );
    expect(files.layout).toBe('tls');
    expect(inspect(files)).toMatchObject({loads: true, findings: []});
    expect(ids(files, {istioVersion: '1.14.1'})).toEqual(['tls-layout-unknown']);
    expect(ids(files, {istioVersion: '1.14'})).toEqual([]);
  });

  it('refuses a tls.crt without a line break at its end: istiod joins it with ca.crt', () => {
    const data: Record<string, string | undefined> = {'tls.crt': good.caCert?.trimEnd(), 'ca.crt': good.rootCert};
    const files = caFilesOfSecret(
      (key) => data[key],
      (key) => (key === 'tls.key' ? good.caKey : undefined),
    );
    expect(inspect(files)).toMatchObject({loads: false, findings: [{id: 'unreadable', effect: 'refused'}]});
  });
});

describe('a certificate that istiod reads and proxies refuse', () => {
  const emptyUsage = (fields: Fields): void => {
    const others = fields.extensions.filter((one) => !encodeDer(one).includes(Buffer.from('0603551d0f', 'hex')));
    fields.extensions = [...others, extensionOf('2.5.29.15', bitString(Buffer.alloc(0)), true)];
  };

  it('is an error, but istiod loads a bundle in which it is not the first', async () => {
    const second = encodePem('CERTIFICATE', await mutatedCertificate(root, root, emptyUsage));
    const inspection = inspect({...good, rootCert: `${root.certificate.pem}${second}`});
    expect(inspection.findings).toMatchObject([{id: 'unreadable', severity: 'error', effect: 'silent'}]);
    expect(inspection.loads).toBe(true);
  });

  it('does not prove that istiod loads files in which it is the first', async () => {
    const first = encodePem('CERTIFICATE', await mutatedCertificate(ca, root, emptyUsage));
    const inspection = inspect({...good, caCert: first});
    expect(inspection.findings).toContainEqual(expect.objectContaining({id: 'unreadable', effect: 'unproven'}));
    expect(inspection.loads).toBe(false);
  });
});

describe('what istiod does not check', () => {
  it('a CA whose key usage does not permit signing certificates', async () => {
    const unable = await tinyClusterCa(root, 'c', {change: extensions({keyUsage: ['digitalSignature', 'cRLSign']})});
    const files = bundleOf(unable, [root]);
    expect(inspect(files).loads).toBe(true);
    expect(ids(files)).toEqual(['no-cert-sign']);
  });

  it('an empty chain, a chain without the CA, one in the wrong order', () => {
    const chain = (text: string) => ({...good, certChain: text});
    for (const files of [
      chain(''),
      chain(root.certificate.pem),
      chain(`${root.certificate.pem}${ca.certificate.pem}`),
    ]) {
      expect(inspect(files).loads).toBe(true);
    }
    expect(ids(chain(''))).toEqual(['chain-empty']);
    expect(ids(chain(root.certificate.pem))).toEqual(['chain-without-ca']);
    expect(ids(chain(`${root.certificate.pem}${ca.certificate.pem}`))).toEqual(['chain-order']);
    expect(ids(chain(ca.certificate.pem))).toEqual([]);
  });

  it('a chain with two intermediates in order, and with a gap', async () => {
    const middle = await tinyClusterCa(root, 'middle', {change: extensions({basicConstraints: {ca: true}})});
    const low = await tinyClusterCa(middle, 'low');
    const files = bundleOf(low, [middle, root]);
    expect(ids(files)).toEqual([]);
    expect(refused({...files, certChain: low.certificate.pem})).toEqual(['not-trusted']);
  });

  it('a path length violation: a CA below an old pathlen:0 CA that is used as a root', async () => {
    const trapped = await tinyClusterCa(ca, 'c');
    const files = bundleOf(trapped, [ca]);
    expect(inspect(files).loads).toBe(true);
    expect(ids(files)).toEqual(['path-length', 'root-not-self-signed']);
  });

  it('several certificates in ca-cert.pem, of which istiod uses only the first', () => {
    const files = {...good, caCert: `${good.caCert ?? ''}${root.certificate.pem}`};
    expect(inspect(files).loads).toBe(true);
    expect(ids(files)).toEqual(['several-ca-certs']);
    expect(refused({...good, caCert: `${root.certificate.pem}${good.caCert ?? ''}`})).toEqual(['key-mismatch']);
  });

  it('a CA that outlives its root by more than a day; seconds, as with the Makefile, are tolerated', async () => {
    const outliving = (seconds: number) =>
      tinyClusterCa(root, 'c', {
        change: (template) => ({
          ...template,
          notAfter: new Date(root.certificate.notAfter.getTime() + seconds * 1000),
        }),
      });
    expect(ids(bundleOf(await outliving(5), [root]))).toEqual([]);
    expect(ids(bundleOf(await outliving(2 * 86_400), [root]))).toEqual(['outlives-issuer']);
  });

  it('an authority key identifier that is not the issuer’s', async () => {
    const wrong = await tinyClusterCa(root, 'c', {change: extensions({authorityKeyId: Buffer.alloc(20, 7)})});
    const files = bundleOf(wrong, [root]);
    expect(inspect(files).loads).toBe(true);
    expect(ids(files)).toEqual(['authority-key']);
  });

  it('name constraints that forbid workload identities', async () => {
    const key = await tinyClusterCa(root, 'c');
    const limited = (constraint: string): CaFiles => {
      const pem = foreignCa(
        root,
        key,
        `basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign\nnameConstraints=critical,${constraint}\n`,
      );
      return {...bundleOf(key, [root]), caCert: pem, certChain: `${pem}${root.certificate.pem}`};
    };
    expect(ids(limited('permitted;URI:example.com'))).toEqual(['name-constraints']);
    expect(ids(limited('permitted;URI:cluster.local'))).toEqual([]);
    expect(ids(limited('excluded;URI:.local'))).toEqual(['name-constraints']);
    // In Go this matches the domain and its subdomains, in OpenSSL and proxies only one host.
    expect(ids(limited('permitted;URI:example.com'), {trustDomain: 'mesh.example.com'})).toEqual(['name-constraints']);
    expect(ids(limited('permitted;URI:.example.com'), {trustDomain: 'mesh.example.com'})).toEqual([]);
    expect(ids(limited('permitted;email:example.com'))).toEqual([]);
    // istiod's own certificate has DNS names.
    expect(ids(limited('permitted;DNS:example.com'))).toEqual(['serving-names']);
    expect(ids(limited('permitted;DNS:istio-system.svc'))).toEqual([]);
    const elsewhere = {servingNames: istiodServingNames('mesh', ['default', 'canary'])};
    expect(ids(limited('permitted;DNS:istio-system.svc'), elsewhere)).toEqual(['serving-names']);
    expect(ids(limited('excluded;DNS:istiod-canary.mesh.svc'), elsewhere)).toEqual(['serving-names']);
    expect(ids(limited('excluded;DNS:istiod-canary.mesh.svc'))).toEqual([]);
  });

  it('a weak key, and keys that proxies might not accept', () => {
    const withKey = (...args: string[]): CaFiles => {
      const pem = openssl(['genpkey', ...args]);
      const path = temporaryFiles({'key.pem': pem});
      const certificate = openssl([
        ...['req', '-x509', '-key', path('key.pem'), '-subj', '/CN=CA', '-days', '30'],
        ...['-addext', 'keyUsage=critical,keyCertSign'],
      ]);
      return {caCert: certificate, rootCert: certificate, certChain: certificate};
    };
    const options = {keyMayBeMissing: true};
    expect(ids(withKey('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'), options)).toContain('weak-key');
    expect(ids(withKey('-algorithm', 'ED25519'), options)).toContain('unusual-key');
    expect(ids(withKey('-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp521r1'), options)).toContain(
      'unusual-key',
    );
  });

  it('two roots with the same name', async () => {
    const twin = await tinyRoot({change: (template) => ({...template, subject: [{type: 'CN', value: 'Root'}]})});
    const other = await tinyRoot({change: (template) => ({...template, subject: [{type: 'CN', value: 'Root'}]})});
    const under = await tinyClusterCa(twin, 'c');
    const files = {...bundleOf(under, [twin]), rootCert: `${other.certificate.pem}${twin.certificate.pem}`};
    expect(inspect(files).loads).toBe(true);
    expect(ids(files)).toEqual(['root-name-twice']);
  });

  it('a cluster that signs with the root key', () => {
    const files = bundleOf(root, [root]);
    expect(inspect(files).loads).toBe(true);
    expect(ids(files)).toEqual(['signs-with-root']);
  });
});

describe('unreadable input', () => {
  it('is a finding for each file, never an exception', () => {
    const invalid = {caCert: 'x', caKey: writePrivateKey(ca.key).map(() => 'y'), rootCert: '', certChain: 'z'};
    expect(ids(invalid)).toEqual(['unreadable', 'unreadable', 'unreadable', 'unreadable']);
    expect(inspect(invalid).loads).toBe(false);
  });

  const junk = '-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n';

  it.each([
    ['rootCert', false, 'refused'],
    ['certChain', false, 'refused'],
    ['caCert', true, 'silent'],
  ] as const)('in %s after a valid certificate: istiod loads it: %s', (part, loads, effect) => {
    const inspection = inspect({...good, [part]: `${good[part] ?? ''}${junk}`});
    expect(inspection).toMatchObject({loads, findings: [{id: 'unreadable', severity: 'error', effect}]});
  });

  it.each(['rootCert', 'certChain', 'caCert'] as const)('that is cut off in %s is never loaded', (part) => {
    const inspection = inspect({...good, [part]: `${good[part] ?? ''}${(good.caCert ?? '').slice(0, 200)}`});
    expect(inspection).toMatchObject({loads: false, findings: [{id: 'unreadable', effect: 'refused'}]});
  });

  it('fails a bundle with the first error as message and the others as hints', () => {
    const files = {...good, certChain: '', rootCert: undefined};
    expect(() => requireValidBundle(files, inspect(files), 'cluster1')).toThrow(
      expect.objectContaining({code: 'PUSH_REFUSED_INVALID_CA', hints: [expect.stringContaining('empty') as string]}),
    );
  });
});
