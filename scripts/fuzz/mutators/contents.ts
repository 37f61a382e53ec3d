/** Which certificates the files contain, and in which order. */
import {type CertificateDraft, caExtensions, name, usualValidity, version} from '../certificate.js';
import {integer} from '../der.js';
import {ecKey} from '../keys.js';
import {draftOf} from '../sets.js';
import {contentsMutator, type Mutator} from './mutator.js';

/** A root that signed nothing here. */
function foreignRoot(): CertificateDraft {
  const draft = {
    version: version(3),
    serial: integer(0x77),
    validity: usualValidity(),
    subject: name(['O', 'Other'], ['CN', 'Other Root']),
    key: ecKey('prime256v1', 'foreign'),
    beforeExtensions: [],
    extensions: caExtensions(),
    beforeSigning: [],
    afterSigning: [],
  } as unknown as CertificateDraft;
  draft.issuer = draft;
  return draft;
}

const chain = 'cert-chain.pem';
const roots = 'root-cert.pem';

export const contentMutators: readonly Mutator[] = [
  contentsMutator('unchanged', () => undefined),
  contentsMutator('chain/reversed', ({contents: files}) => {
    files[chain].reverse();
  }),
  contentsMutator('chain/shuffled', ({contents: files}, random) => {
    files[chain] = random.shuffle(files[chain]);
  }),
  contentsMutator('chain/ca-twice', (draft) => {
    draft.contents[chain].unshift(draftOf(draft, 'ca'));
  }),
  contentsMutator('chain/root-twice', (draft) => {
    draft.contents[chain].push(draftOf(draft, 'root'));
  }),
  contentsMutator('chain/without-root', ({contents: files}) => {
    files[chain].pop();
  }),
  contentsMutator('chain/without-ca', ({contents: files}) => {
    files[chain].shift();
  }),
  contentsMutator(
    'chain/without-intermediate',
    ({contents: files}) => {
      files[chain].splice(1, 1);
    },
    ['intermediate', 'all-roles'],
  ),
  contentsMutator('chain/only-root', (draft) => {
    draft.contents[chain] = [draftOf(draft, 'root')];
  }),
  contentsMutator('chain/foreign-root', ({contents: files}) => {
    files[chain].push(foreignRoot());
  }),
  contentsMutator('chain/foreign-root-first', ({contents: files}) => {
    files[chain].unshift(foreignRoot());
  }),
  contentsMutator('chain/empty', ({contents: files}) => {
    files[chain] = [];
  }),
  contentsMutator('roots/foreign-last', ({contents: files}) => {
    files[roots].push(foreignRoot());
  }),
  contentsMutator('roots/foreign-first', ({contents: files}) => {
    files[roots].unshift(foreignRoot());
  }),
  contentsMutator('roots/foreign-only', ({contents: files}) => {
    files[roots] = [foreignRoot()];
  }),
  contentsMutator('roots/twice', (draft) => {
    draft.contents[roots].push(draftOf(draft, 'root'));
  }),
  contentsMutator('roots/ca-included', (draft) => {
    draft.contents[roots].push(draftOf(draft, 'ca'));
  }),
  contentsMutator('roots/ca-only', (draft) => {
    draft.contents[roots] = [draftOf(draft, 'ca')];
  }),
  contentsMutator('roots/ca-first', (draft) => {
    draft.contents[roots].unshift(draftOf(draft, 'ca'));
  }),
  contentsMutator(
    'roots/intermediate-only',
    (draft) => {
      draft.contents[roots] = [draftOf(draft, 'intermediate')];
    },
    ['intermediate', 'all-roles'],
  ),
  contentsMutator(
    'roots/reversed',
    ({contents: files}) => {
      files[roots].reverse();
    },
    ['two-roots', 'all-roles'],
  ),
  contentsMutator(
    'roots/second-only',
    ({contents: files}) => {
      files[roots].shift();
    },
    ['two-roots', 'all-roles'],
  ),
  contentsMutator(
    'roots/same-name',
    (draft) => {
      draftOf(draft, 'second-root').subject = draftOf(draft, 'root').subject;
    },
    ['two-roots', 'all-roles'],
  ),
  contentsMutator(
    'roots/same-name-first',
    (draft) => {
      draftOf(draft, 'second-root').subject = draftOf(draft, 'root').subject;
      draft.contents[roots].reverse();
    },
    ['two-roots', 'all-roles'],
  ),
  contentsMutator(
    'roots/same-serial',
    (draft) => {
      draftOf(draft, 'second-root').serial = draftOf(draft, 'root').serial;
    },
    ['two-roots', 'all-roles'],
  ),
  contentsMutator('ca/chain-included', (draft) => {
    draft.contents['ca-cert.pem'] = [...draft.contents[chain]];
  }),
  contentsMutator('ca/chain-reversed', (draft) => {
    draft.contents['ca-cert.pem'] = draft.contents[chain].toReversed();
  }),
  contentsMutator('ca/is-root', (draft) => {
    const root = draftOf(draft, 'root');
    draft.contents['ca-cert.pem'] = [root];
    draft.contents[chain] = [root];
    draft.key = root.key.traditional ?? {label: 'PRIVATE KEY', der: root.key.pkcs8};
  }),
  contentsMutator('ca/same-name-as-root', (draft) => {
    draftOf(draft, 'ca').subject = draftOf(draft, 'root').subject;
  }),
  contentsMutator('ca/same-serial-as-root', (draft) => {
    draftOf(draft, 'ca').serial = draftOf(draft, 'root').serial;
  }),
  contentsMutator('ca/same-key-as-root', (draft) => {
    const {key} = draftOf(draft, 'root');
    draftOf(draft, 'ca').key = key;
    draft.key = key.traditional ?? {label: 'PRIVATE KEY', der: key.pkcs8};
  }),
];
