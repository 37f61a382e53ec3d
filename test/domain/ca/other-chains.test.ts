/** Chains that proxies build although istiod verifies another one; each was refused by BoringSSL in a TLS handshake. */
import {beforeAll, expect, it} from 'vitest';
import {bundleOf, type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import {type Fields, mutatedCertificate, universal} from '../../helpers/mutated-certificate.js';
import {decodeDer, encodeDer, integer, oid, sequence, set, tags, utf8String} from '../../../src/domain/asn1/der.js';
import {encodePem} from '../../../src/domain/asn1/pem.js';
import {inspectCaFiles} from '../../../src/domain/ca/inspect-ca.js';
import {rejectionOf} from '../../../src/domain/checks/trust/acceptance.js';
import {parseCertificate} from '../../../src/domain/x509/certificate.js';
import {proxyChains} from '../../../src/domain/x509/proxy-chains.js';

const now = new Date(Date.now() + 60_000);

let root: TinyCa;
let other: TinyCa;
let ca: TinyCa;
beforeAll(async () => {
  [root, other] = [await tinyRoot(), await tinyRoot()];
  ca = await tinyClusterCa(root, 'cluster1');
});

const pem = (der: Buffer): string => encodePem('CERTIFICATE', der);
const errors = (files: Partial<ReturnType<typeof bundleOf>>): readonly string[] =>
  inspectCaFiles({...bundleOf(ca, [root]), ...files}, {now})
    .findings.filter(({severity}) => severity === 'error')
    .map(({id}) => id);

const expired = (fields: Fields): void => {
  fields.serial = integer(7);
  fields.validity = sequence(universal(tags.utcTime, '200101000000Z'), universal(tags.utcTime, '210101000000Z'));
};
const withoutAuthority = (fields: Fields): void => {
  fields.extensions = fields.extensions.filter((one) => !encodeDer(one).includes(Buffer.from('0603551d23', 'hex')));
};

it.each(['before', 'after'])(
  'an expired certificate of the same root %s the current one is an error',
  async (place) => {
    const twin = pem(await mutatedCertificate(root, root, expired));
    const {rootCert} = bundleOf(ca, [root]);
    expect(errors({rootCert: place === 'before' ? twin + rootCert : rootCert + twin})).toEqual(['other-chain']);
  },
);

it('another certificate of the same root is no error while it is valid', async () => {
  const twin = await mutatedCertificate(root, root, (fields) => (fields.serial = integer(7)));
  expect(errors({rootCert: bundleOf(ca, [root]).rootCert + pem(twin)})).toEqual([]);
});

it('an expired root with the same name in other letters is an error, too', async () => {
  const names = root.certificate.subject.attributes.map(({type, value}) =>
    set(sequence(oid(type === 'O' ? '2.5.4.10' : '2.5.4.3'), utf8String(` ${value.toUpperCase()}`))),
  );
  const twin = await mutatedCertificate(root, root, (fields) => {
    expired(fields);
    fields.subject = fields.issuer = sequence(...names);
  });
  expect(errors({rootCert: bundleOf(ca, [root]).rootCert + pem(twin)})).toEqual(['other-chain']);
});

it('a root with the same name and another key is an error if no key identifier tells them apart', async () => {
  const namesake = await mutatedCertificate(other, other, (fields) => {
    fields.subject = fields.issuer = decodeDer(root.certificate.subject.der);
  });
  const rootCert = bundleOf(ca, [root]).rootCert + pem(namesake);
  expect(errors({rootCert})).toEqual([]);
  const caCert = pem(await mutatedCertificate(ca, root, withoutAuthority));
  expect(errors({rootCert, caCert, certChain: caCert + root.certificate.pem})).toEqual(['other-chain']);
});

it('a certificate of the cluster CA by an unknown issuer is an error where proxies find it first', async () => {
  const cross = await mutatedCertificate(ca, other, (fields) => {
    withoutAuthority(fields);
    fields.issuer = decodeDer(other.certificate.subject.der);
  });
  const {certChain} = bundleOf(ca, [root]);
  expect(errors({certChain: pem(cross) + certChain})).toEqual(['other-chain']);
  expect(errors({certChain: certChain + pem(cross)})).toEqual([]);
});

it('a root and a cluster CA without subjects are an error: proxies cannot tell them apart', async () => {
  const rootCert = pem(await mutatedCertificate(root, root, (fields) => (fields.subject = fields.issuer = sequence())));
  const caCert = pem(await mutatedCertificate(ca, root, (fields) => (fields.subject = fields.issuer = sequence())));
  expect(errors({rootCert, caCert, certChain: caCert + rootCert})).toEqual(['other-chain']);
});

it('MESH307 reports it', async () => {
  const twin = parseCertificate(await mutatedCertificate(root, root, expired), 'root-cert.pem');
  const served = {certificates: [await tinyClusterCa(ca, 'leaf'), ca, root].map(({certificate}) => certificate)};
  const rejection = (roots: readonly TinyCa['certificate'][]) =>
    rejectionOf({certificates: roots} as never, served, now);
  expect(rejection([root.certificate])).toBeUndefined();
  expect(rejection([root.certificate, twin])).toMatchObject({failure: 'proxies'});
});

it('ends for roots that issued each other, and for many roots with the same name', async () => {
  const [rootByOther, otherByRoot] = [
    await mutatedCertificate(root, other, (fields) => (fields.issuer = decodeDer(other.certificate.subject.der))),
    await mutatedCertificate(other, root, (fields) => (fields.issuer = decodeDer(root.certificate.subject.der))),
  ].map((der) => parseCertificate(der, 'cross'));
  const roots = [rootByOther, otherByRoot].filter((one) => one !== undefined);
  expect(proxyChains(ca.certificate, {roots, presented: []}).map(({chain}) => chain.length)).toEqual([2]);
  const many = Array.from({length: 1000}, (_, index) => ({...root.certificate, fingerprint: String(index)}));
  expect(proxyChains(ca.certificate, {roots: many, presented: []}).length).toBeLessThanOrEqual(256);
});
