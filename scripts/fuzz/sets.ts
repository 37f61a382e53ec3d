/** Valid sets of CA files, from which every case starts. */
import {bits, implicit, integer, octets, oid, sequence, tagged, tlv} from './der.js';
import {
  caExtensions,
  type CertificateDraft,
  encodeCertificate,
  type Extension,
  ids,
  keyIdentifier,
  name,
  setExtension,
  usualValidity,
  version,
} from './certificate.js';
import {ecKey, type Key, rsaKey} from './keys.js';

/** The four files. Bytes, because a mutator can write text in any encoding. */
export type Files = Record<FileName, Buffer>;
export type FileName = 'ca-cert.pem' | 'ca-key.pem' | 'root-cert.pem' | 'cert-chain.pem';

/** A certificate's place in a set. */
export type Role = 'ca' | 'intermediate' | 'root' | 'second-root';

/** A set of CA files before it is encoded. */
export interface SetDraft {
  readonly base: string;
  readonly certificates: Map<Role, CertificateDraft>;
  /** Which certificates each file contains. */
  readonly contents: Record<Exclude<FileName, 'ca-key.pem'>, CertificateDraft[]>;
  /** ca-key.pem: the label and the encoded key. */
  key: {label: string; der: Buffer};
  /** Changes the finished files. */
  readonly afterEncoding: ((files: Files) => void)[];
}

/** The draft of a role. Throws for a role that the set does not have. */
export function draftOf({certificates, base}: SetDraft, role: Role): CertificateDraft {
  const draft = certificates.get(role);
  if (draft === undefined) throw new RangeError(`set ${base} has no ${role}`);
  return draft;
}

/** One PEM block with lines of 64 characters (RFC 7468). */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

export function encodeSet(draft: SetDraft): Files {
  const text = (certificates: readonly CertificateDraft[]): Buffer =>
    Buffer.from(certificates.map((certificate) => pem('CERTIFICATE', encodeCertificate(certificate))).join(''));
  const files: Files = {
    'ca-cert.pem': text(draft.contents['ca-cert.pem']),
    'ca-key.pem': Buffer.from(pem(draft.key.label, draft.key.der)),
    'root-cert.pem': text(draft.contents['root-cert.pem']),
    'cert-chain.pem': text(draft.contents['cert-chain.pem']),
  };
  for (const change of draft.afterEncoding) change(files);
  return files;
}

interface Options {
  readonly base: string;
  /** Keys of the cluster CA, the intermediates upward, and the root. */
  readonly keys: readonly Key[];
  readonly secondRoot?: Key;
  /** Further extensions of the cluster CA. */
  readonly extensions?: readonly Extension[];
}

const roles = {2: ['ca', 'root'], 3: ['ca', 'intermediate', 'root']} as const;
const names: Record<Role, string> = {
  ca: 'Cluster CA',
  intermediate: 'Policy CA',
  root: 'Root CA',
  'second-root': 'Root CA 2',
};
const serials: Record<Role, bigint> = {
  ca: 0x2b00c1a5n,
  intermediate: 0x1c002e71n,
  root: 0x5e9d0001n,
  'second-root': 0x5e9d0002n,
};

function draftCertificate(role: Role, key: Key, issuer: CertificateDraft | undefined): CertificateDraft {
  const draft = {
    version: version(3),
    serial: integer(serials[role]),
    validity: usualValidity(),
    subject: name(['O', 'Example'], ['CN', names[role]]),
    key,
    beforeExtensions: [],
    extensions: caExtensions(role === 'ca' ? 0 : undefined),
    beforeSigning: [],
    afterSigning: [],
  };
  const self = draft as unknown as CertificateDraft;
  self.issuer = issuer ?? self;
  return self;
}

function createSet({base, keys, secondRoot, extensions = []}: Options): SetDraft {
  const certificates = new Map<Role, CertificateDraft>();
  const order = roles[keys.length === 3 ? 3 : 2];
  let issuer: CertificateDraft | undefined;
  for (const role of order.toReversed()) {
    issuer = draftCertificate(role, keys[order.indexOf(role as never)]!, issuer);
    certificates.set(role, issuer);
  }
  if (secondRoot !== undefined) {
    certificates.set('second-root', draftCertificate('second-root', secondRoot, undefined));
  }
  const [ca, root] = [certificates.get('ca')!, certificates.get('root')!];
  for (const extension of extensions) setExtension(ca, extension);
  return {
    base,
    certificates,
    contents: {
      'ca-cert.pem': [ca],
      'root-cert.pem': [root, ...(secondRoot === undefined ? [] : [certificates.get('second-root')!])],
      'cert-chain.pem': order.map((role) => certificates.get(role)!),
    },
    key: ca.key.traditional ?? {label: 'PRIVATE KEY', der: ca.key.pkcs8},
    afterEncoding: [],
  };
}

const permitted = (...subtrees: readonly Buffer[]): Buffer =>
  sequence(tagged(0, ...subtrees.map((subtree) => sequence(subtree))));

const constrained: readonly Extension[] = [
  {
    id: ids.nameConstraints,
    critical: true,
    value: permitted(implicit(6, 'cluster.local'), implicit(2, 'istio-system.svc'), implicit(2, 'example.com')),
  },
  {id: ids.certificatePolicies, value: sequence(sequence(oid('2.5.29.32.0')))},
];

const rich: readonly Extension[] = [
  {
    id: ids.authorityKeyId,
    value: ({issuer}) =>
      sequence(
        implicit(0, keyIdentifier(issuer)),
        tagged(1, tagged(4, issuer.issuerName ?? issuer.issuer.subject)),
        implicit(2, issuer.serial.subarray(2)),
      ),
  },
  {
    id: ids.certificatePolicies,
    value: sequence(
      sequence(
        oid('1.3.6.1.4.1.99999.1'),
        sequence(sequence(oid('1.3.6.1.5.5.7.2.1'), tlv(0x16, Buffer.from('https://example.com/cps')))),
      ),
    ),
  },
  {
    id: ids.crlDistributionPoints,
    value: sequence(sequence(tagged(0, tagged(0, implicit(6, 'http://example.com/ca.crl'))))),
  },
  {
    id: ids.authorityInfoAccess,
    value: sequence(sequence(oid('1.3.6.1.5.5.7.48.1'), implicit(6, 'http://ocsp.example.com'))),
  },
  {id: ids.subjectAltName, value: sequence(implicit(2, 'ca.example.com'), implicit(1, 'ca@example.com'))},
  {id: ids.netscapeComment, value: tlv(0x16, Buffer.from('Example'))},
];

/** The base sets, by name; each call returns drafts that the caller may change. */
export const baseSets: Readonly<Record<string, () => SetDraft>> = {
  p256: () => createSet({base: 'p256', keys: [ecKey('prime256v1', 'ca'), ecKey('prime256v1', 'root')]}),
  p384: () => createSet({base: 'p384', keys: [ecKey('secp384r1', 'ca'), ecKey('secp384r1', 'root')]}),
  rsa: () => createSet({base: 'rsa', keys: [rsaKey(2048, 'ca'), rsaKey(2048, 'root')]}),
  'rsa-root': () => createSet({base: 'rsa-root', keys: [ecKey('prime256v1', 'ca'), rsaKey(2048, 'root')]}),
  intermediate: () =>
    createSet({
      base: 'intermediate',
      keys: [ecKey('prime256v1', 'ca'), ecKey('secp384r1', 'intermediate'), rsaKey(2048, 'root')],
    }),
  'two-roots': () =>
    createSet({
      base: 'two-roots',
      keys: [ecKey('prime256v1', 'ca'), ecKey('prime256v1', 'root')],
      secondRoot: rsaKey(2048, 'second-root'),
    }),
  'all-roles': () =>
    createSet({
      base: 'all-roles',
      keys: [rsaKey(2048, 'ca'), ecKey('prime256v1', 'intermediate'), ecKey('secp384r1', 'root')],
      secondRoot: ecKey('prime256v1', 'second-root'),
    }),
  constrained: () =>
    createSet({
      base: 'constrained',
      keys: [ecKey('prime256v1', 'ca'), ecKey('prime256v1', 'root')],
      extensions: constrained,
    }),
  rich: () =>
    createSet({base: 'rich', keys: [ecKey('prime256v1', 'ca'), ecKey('prime256v1', 'root')], extensions: rich}),
};

/** A certificate and key of this test's own, for the end of a handshake that is not under test. */
export function peerFiles(): {readonly chain: string; readonly key: string; readonly roots: string} {
  const root = draftCertificate('root', ecKey('prime256v1', 'peer root'), undefined);
  const leaf = draftCertificate('ca', ecKey('prime256v1', 'peer'), root);
  leaf.extensions = [
    {id: ids.keyUsage, critical: true, value: bits(Buffer.from([0x80]), 7)},
    {id: ids.subjectAltName, value: sequence(implicit(2, 'peer.example'))},
    {id: ids.subjectKeyId, value: octets(keyIdentifier(leaf))},
  ];
  return {
    chain: pem('CERTIFICATE', encodeCertificate(leaf)),
    key: pem('PRIVATE KEY', leaf.key.pkcs8),
    roots: pem('CERTIFICATE', encodeCertificate(root)),
  };
}
