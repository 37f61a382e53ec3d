/** Several certificates with one name, which proxies cannot tell apart, and names of CAs below name constraints. */
import {type CertificateDraft, ids, name, removeExtension, setExtension, stringTags, utcTime} from '../certificate.js';
import {bits, boolean, implicit, integer, oid, sequence, set, tagged, tlv} from '../der.js';
import {ecKey} from '../keys.js';
import {draftOf} from '../sets.js';
import {contentsMutator, type Mutator} from './mutator.js';
import {dns, ip, uri} from './values.js';

/** A copy of a certificate with another serial number; a root stays self-signed. */
function twinOf(original: CertificateDraft, change: (twin: CertificateDraft) => void): CertificateDraft {
  const twin: CertificateDraft = {...original, serial: integer(7), beforeSigning: [], afterSigning: []};
  if (original.extensions !== undefined) twin.extensions = [...original.extensions];
  if (original.issuer === original) twin.issuer = twin;
  change(twin);
  return twin;
}

const changes: Readonly<Record<string, (twin: CertificateDraft) => void>> = {
  valid: () => undefined,
  expired: (twin) => {
    twin.validity = sequence(utcTime('230101000000Z'), utcTime('240101000000Z'));
  },
  'expired-other-case': (twin) => {
    twin.validity = sequence(utcTime('230101000000Z'), utcTime('240101000000Z'));
    twin.subject = name(['O', 'EXAMPLE'], ['CN', ' root  CA', stringTags.printable]);
  },
  future: (twin) => {
    twin.validity = sequence(utcTime('440101000000Z'), utcTime('450101000000Z'));
  },
  'other-key': (twin) => {
    twin.key = ecKey('prime256v1', 'twin');
  },
  'other-key-without-identifier': (twin) => {
    twin.key = ecKey('prime256v1', 'twin');
    removeExtension(twin, ids.subjectKeyId);
    removeExtension(twin, ids.authorityKeyId);
  },
  constrained: (twin) => {
    const value = sequence(tagged(1, sequence(uri('cluster.local'))));
    setExtension(twin, {id: ids.nameConstraints, critical: true, value});
  },
  'no-ca': (twin) => {
    setExtension(twin, {id: ids.basicConstraints, critical: true, value: sequence()});
  },
  'no-cert-sign': (twin) => {
    setExtension(twin, {id: ids.keyUsage, critical: true, value: bits(Buffer.from([0x80]), 7)});
  },
  'path-length-0': (twin) => {
    setExtension(twin, {id: ids.basicConstraints, critical: true, value: sequence(boolean(true), integer(0))});
  },
};

const twins: readonly Mutator[] = Object.entries(changes).flatMap(([key, change]) =>
  (['root-cert.pem', 'cert-chain.pem'] as const).flatMap((file) =>
    (['root', 'ca'] as const).map((role) =>
      contentsMutator(`twin/${key}-${role}-in-${file === 'root-cert.pem' ? 'roots' : 'chain'}`, (draft, random) => {
        const list = draft.contents[file];
        list.splice(random.below(list.length + 1), 0, twinOf(draftOf(draft, role), change));
        if (random.below(2) === 0) removeExtension(draftOf(draft, 'ca'), ids.authorityKeyId);
      }),
    ),
  ),
);

const email = (text: string): Buffer => implicit(1, text);
const directory = (organization: string): Buffer => tagged(4, name(['O', organization]));

/** Constraints of the root, and a name of the cluster CA. */
const constrained: Readonly<Record<string, readonly [Buffer, Buffer]>> = {
  'dns-below': [dns('example.com'), dns('a.example.com')],
  'dns-wildcard': [dns('a.example.com'), dns('*.example.com')],
  'dns-odd': [dns('other.example'), dns('a!b.example.com')],
  'uri-same': [uri('example.com'), uri('http://example.com/')],
  'uri-below': [uri('example.com'), uri('http://a.example.com/')],
  'uri-dot': [uri('.example.com'), uri('http://a.example.com/')],
  'uri-without-host': [dns('example.com'), uri('urn:a:b')],
  'uri-address': [dns('example.com'), uri('http://10.0.0.1/')],
  'uri-underscore': [uri('example.com'), uri('http://a_b.example.com/')],
  'email-same': [email('example.com'), email('ca@example.com')],
  'email-below': [email('example.com'), email('ca@a.example.com')],
  'email-case': [email('ca@example.com'), email('ca@EXAMPLE.com')],
  'email-odd': [dns('example.com'), email('a..b@example.com')],
  'email-empty-constraint': [email(''), email('ca@example.com')],
  'ip-same': [ip(10, 0, 0, 0, 255, 0, 0, 0), ip(10, 1, 1, 1)],
  'directory-same': [directory('Example'), directory('Example')],
  'directory-other': [directory('Example'), directory('Other')],
};

const usual: readonly Buffer[] = [uri('cluster.local'), dns('istio-system.svc')];

const caNames: readonly Mutator[] = Object.entries(constrained).flatMap(([key, [constraint, alternative]]) =>
  (['permitted', 'excluded'] as const).map((kind) =>
    contentsMutator(`ca-names/${kind}-${key}`, (draft) => {
      const subtrees = [...(kind === 'permitted' ? usual : []), constraint].map((base) => sequence(base));
      const value = sequence(tagged(kind === 'permitted' ? 0 : 1, ...subtrees));
      setExtension(draftOf(draft, 'root'), {id: ids.nameConstraints, value});
      setExtension(draftOf(draft, 'ca'), {id: ids.subjectAltName, value: sequence(alternative)});
    }),
  ),
);

const attribute = (id: string, tag: number, text: string): Buffer => sequence(oid(id), tlv(tag, Buffer.from(text)));
const emailAddress = '1.2.840.113549.1.9.1';

/** Constraints of the root, not critical, and a subject of the cluster CA. */
const subjects: Readonly<Record<string, readonly [Buffer, Buffer]>> = {
  'other-case': [directory('EXAMPLE'), name(['O', 'example'], ['CN', 'x'])],
  'no-break-space': [directory('Ex\u{a0}ample'), name(['O', 'Ex ample'])],
  'other-case-not-ascii': [directory('M\u{dc}LLER'), name(['O', 'm\u{fc}ller'])],
  'other-type': [directory('Example'), name(['O', 'Example', stringTags.printable], ['CN', 'x'])],
  'two-in-one': [
    directory('Example'),
    sequence(set(attribute('2.5.4.11', 0x0c, 'x'), attribute('2.5.4.10', 0x0c, 'Example'))),
  ],
  'email-below': [email('example.com'), sequence(set(attribute(emailAddress, 0x16, 'ca@example.com')))],
  'email-other': [email('example.com'), sequence(set(attribute(emailAddress, 0x16, 'ca@other.example')))],
  'email-utf8': [email('example.com'), sequence(set(attribute(emailAddress, 0x0c, 'ca@example.com')))],
};

const caSubjects: readonly Mutator[] = Object.entries(subjects).map(([key, [constraint, subject]]) =>
  contentsMutator(`ca-subject/${key}`, (draft) => {
    const value = sequence(tagged(0, ...[...usual, constraint].map((base) => sequence(base))));
    setExtension(draftOf(draft, 'root'), {id: ids.nameConstraints, value});
    draftOf(draft, 'ca').subject = subject;
  }),
);

export const twinMutators: readonly Mutator[] = [...twins, ...caNames, ...caSubjects];
