/** Faults of chains that Go accepts and BoringSSL, which proxies use, does not. */
import {beforeAll, describe, expect, it} from 'vitest';
import {bitString, decodeDer, type Der, encodeDer, implicit, oid, sequence} from '../../../src/domain/asn1/der.js';
import {chainFaults} from '../../../src/domain/ca/chain-faults.js';
import {verifyChain} from '../../../src/domain/x509/chain.js';
import {parseCertificate} from '../../../src/domain/x509/certificate.js';
import {extensionOf, type Fields, mutatedCertificate} from '../../helpers/mutated-certificate.js';
import {type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';

const now = new Date(Date.now() + 60_000);
const purpose = {now, trustDomain: 'cluster.local', servingNames: ['istiod.istio-system.svc']};

let root: TinyCa;
let ca: TinyCa;
beforeAll(async () => {
  root = await tinyRoot();
  ca = await tinyClusterCa(root, 'cluster1');
});

async function faultsWith(change: (fields: Fields) => void, options = {}) {
  const certificate = parseCertificate(await mutatedCertificate(ca, root, change), 'ca-cert.pem');
  const verified = verifyChain(certificate, {roots: [root.certificate], intermediates: [], now, ...options});
  const chain = [certificate, root.certificate];
  return {verified, ids: chainFaults(chain, {...purpose, ...options}).map(({id}) => id)};
}

const add = (extension: Der) => (fields: Fields) => {
  fields.extensions = [
    ...fields.extensions.filter((one) => !encodeDer(one).subarray(0, 12).equals(encodeDer(extension).subarray(0, 12))),
    extension,
  ];
};
const context = (tag: number, ...children: readonly Der[]): Der => ({tagClass: 0x80, tag, children});
const authority = (serial: Buffer, issuer: Buffer): Der =>
  extensionOf('2.5.29.35', sequence(context(1, context(4, decodeDer(issuer))), implicit(2, serial)));
const withoutAuthority = (fields: Fields): void => {
  fields.extensions = fields.extensions.filter((one) => !encodeDer(one).includes(Buffer.from('0603551d23', 'hex')));
};

describe('an authority key identifier by issuer and serial number', () => {
  const identified = (serial: () => Buffer, issuer: () => Buffer) => (fields: Fields) => {
    withoutAuthority(fields);
    add(authority(serial(), issuer()))(fields);
  };
  const ownSerial = (): Buffer => Buffer.from(`00${root.certificate.serial}`, 'hex');

  it('is accepted if both are those of the issuer', async () => {
    const {ids} = await faultsWith(identified(ownSerial, () => root.certificate.issuer.der));
    expect(ids).toEqual([]);
  });

  it('is a fault with another serial number, as after renewing a root with the same key', async () => {
    const {verified, ids} = await faultsWith(
      identified(
        () => Buffer.from([5]),
        () => root.certificate.issuer.der,
      ),
    );
    expect(verified).toHaveProperty('chain');
    expect(ids).toEqual(['authority-key']);
  });

  it('is a fault with another issuer', async () => {
    const {ids} = await faultsWith(identified(ownSerial, () => ca.certificate.subject.der));
    expect(ids).toEqual(['authority-key']);
  });
});

const crlUri = sequence(sequence(context(0, context(0, implicit(6, Buffer.from('http://a.example/b.crl'))))));

it.each<[string, Der, readonly string[]]>([
  ['critical CRL distribution points', extensionOf('2.5.29.31', crlUri, true), ['proxy-extension']],
  ['CRL distribution points', extensionOf('2.5.29.31', crlUri), []],
  ['critical certificate policies', extensionOf('2.5.29.32', sequence(sequence(oid('2.5.29.32.0'))), true), []],
  [
    'policy constraints that require a policy',
    extensionOf('2.5.29.36', sequence(implicit(0, Buffer.from([0]))), true),
    ['required-policy'],
  ],
  [
    'policy constraints that inhibit mapping',
    extensionOf('2.5.29.36', sequence(implicit(1, Buffer.from([0]))), true),
    [],
  ],
])('%s: the faults are %3$j', async (_, extension, expected) => {
  const {verified, ids} = await faultsWith(add(extension));
  expect(verified).toHaveProperty('chain');
  expect(ids).toEqual(expected);
});

it('critical policy constraints are a fault for an istiod without policy validation', async () => {
  const extension = extensionOf('2.5.29.36', sequence(implicit(1, Buffer.from([0]))), true);
  const {verified, ids} = await faultsWith(add(extension), {hasPolicyValidation: false});
  expect(verified).toMatchObject({failure: 'unhandled-extension'});
  expect(ids).toEqual(['critical-extension']);
});

it('an unknown critical extension is a fault once, of istiod', async () => {
  const {ids} = await faultsWith(add(extensionOf('1.2.3.4', bitString(Buffer.alloc(1)), true)));
  expect(ids).toEqual(['critical-extension']);
});
