/** PEM texts, and which certificates the files contain. */
import {type CertificateDraft, caExtensions, name, usualValidity, version} from '../certificate.js';
import {integer} from '../der.js';
import {ecKey} from '../keys.js';
import {draftOf, type FileName, pem} from '../sets.js';
import {certificateFiles, contentsMutator, type Mutator, textMutator} from './mutator.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Changes a text of ASCII characters; what it inserts is encoded in Latin-1, so that any byte is possible. */
function text(variant: string, change: (text: string) => string, places?: readonly FileName[]): Mutator {
  return textMutator(`pem/${variant}`, (bytes) => latin1(change(bytes.toString('latin1'))), places);
}

const begin =
  (replace: (line: string) => string) =>
  (all: string): string =>
    all.replace(/-----BEGIN [A-Z ]+-----/g, replace);
const end =
  (replace: (line: string) => string) =>
  (all: string): string =>
    all.replace(/-----END [A-Z ]+-----/g, replace);
/** Changes the base64 text of each block. */
const body =
  (change: (lines: string) => string) =>
  (all: string): string =>
    all.replace(/(?<=-----\n)[A-Za-z0-9+/=\n]+(?=\n-----END)/g, change);
const nbsp = '\xc2\xa0';
const bom = '\xef\xbb\xbf';

const texts: readonly Mutator[] = [
  text('bom', (all) => bom + all),
  text('bom-between', (all) => all.replaceAll('-----\n-----BEGIN', `-----\n${bom}-----BEGIN`), certificateFiles),
  text('bom-and-newline', (all) => `${bom}\n${all}`),
  text('nbsp-before', (all) => nbsp + all),
  text(
    'nbsp-in-label',
    begin((line) => line.replace(' ', nbsp)),
  ),
  text(
    'nbsp-in-base64',
    body((lines) => lines.replace('\n', `${nbsp}\n`)),
  ),
  text(
    'nbsp-after-begin',
    begin((line) => line + nbsp),
  ),
  text('form-feed-before', (all) => `\f${all}`),
  text('form-feed-between', (all) => all.replaceAll('-----\n-----', '-----\n\f\n-----')),
  text(
    'form-feed-in-base64',
    body((lines) => lines.replace('\n', '\f\n')),
  ),
  text(
    'form-feed-after-begin',
    begin((line) => `${line}\f`),
  ),
  text(
    'vertical-tab-in-base64',
    body((lines) => lines.replace('\n', '\v\n')),
  ),
  text(
    'vertical-tab-after-end',
    end((line) => `${line}\v`),
  ),
  text('vertical-tab-before', (all) => `\v${all}`),
  text('nul-before', (all) => `\0${all}`),
  text(
    'nul-in-base64',
    body((lines) => lines.replace('\n', '\0\n')),
  ),
  text('nul-after', (all) => `${all}\0`),
  text('spaces-before', (all) => `  ${all}`),
  text('tab-before', (all) => `\t${all}`),
  text('indented', (all) => all.replace(/^/gm, '  ')),
  text('spaces-after-lines', (all) => all.replaceAll('\n', '  \n')),
  text('tabs-after-lines', (all) => all.replaceAll('\n', '\t\n')),
  text(
    'spaces-after-begin',
    begin((line) => `${line}  `),
  ),
  text(
    'spaces-after-end',
    end((line) => `${line}  `),
  ),
  text('glued', (all) => all.replaceAll('-----\n-----BEGIN', '----------BEGIN'), certificateFiles),
  text('glued-with-space', (all) => all.replaceAll('-----\n-----BEGIN', '----- -----BEGIN'), certificateFiles),
  text(
    'junk-before-begin',
    begin((line) => `junk ${line}`),
  ),
  text(
    'junk-after-begin',
    begin((line) => `${line} junk`),
  ),
  text(
    'junk-after-end',
    end((line) => `${line} junk`),
  ),
  text('base64-after-begin', (all) => all.replace(/(-----BEGIN [A-Z ]+-----)\n/g, '$1')),
  text('base64-before-end', (all) => all.replace(/\n(-----END)/g, '$1')),
  text('cr-only', (all) => all.replaceAll('\n', '\r')),
  text('crlf', (all) => all.replaceAll('\n', '\r\n')),
  text('crlf-mixed', (all) => all.replace('\n', '\r\n')),
  text('cr-cr-lf', (all) => all.replaceAll('\n', '\r\r\n')),
  text('lf-cr', (all) => all.replaceAll('\n', '\n\r')),
  text('no-last-newline', (all) => all.trimEnd()),
  text('blank-lines', (all) => all.replaceAll('\n', '\n\n')),
  text('blank-lines-between', (all) => all.replaceAll('-----\n-----', '-----\n\n\n-----')),
  text(
    'blank-line-after-begin',
    begin((line) => `${line}\n`),
  ),
  text(
    'blank-line-in-base64',
    body((lines) => lines.replace('\n', '\n\n')),
  ),
  text(
    'blank-line-before-end',
    end((line) => `\n${line}`),
  ),
  text(
    'headers',
    begin((line) => `${line}\nName: value\n`),
  ),
  text(
    'headers-without-blank-line',
    begin((line) => `${line}\nName: value`),
  ),
  text(
    'header-without-value',
    begin((line) => `${line}\nName:\n`),
  ),
  text(
    'header-continued',
    begin((line) => `${line}\nName: value\n more\n`),
  ),
  text(
    'header-colon-late',
    begin((line) => `${line}\n: value\n`),
  ),
  text(
    'headers-proc-type',
    begin((line) => `${line}\nProc-Type: 4,MIC-CLEAR\n`),
  ),
  text('label-lower-case', (all) => all.replace(/(?<=BEGIN |END )[A-Z ]+/g, (label) => label.toLowerCase())),
  text('begin-lower-case', (all) => all.replaceAll('BEGIN', 'begin').replaceAll('END', 'end')),
  text('label-trusted', (all) => all.replaceAll(' CERTIFICATE-', ' TRUSTED CERTIFICATE-'), certificateFiles),
  text('label-x509', (all) => all.replaceAll(' CERTIFICATE-', ' X509 CERTIFICATE-'), certificateFiles),
  text(
    'label-x509-first',
    (all) => all.replace(' CERTIFICATE-', ' X509 CERTIFICATE-').replace('END CERTIFICATE-', 'END X509 CERTIFICATE-'),
    certificateFiles,
  ),
  text(
    'label-trusted-first',
    (all) =>
      all.replace(' CERTIFICATE-', ' TRUSTED CERTIFICATE-').replace('END CERTIFICATE-', 'END TRUSTED CERTIFICATE-'),
    certificateFiles,
  ),
  text('label-other', (all) => all.replaceAll(' CERTIFICATE-', ' CERT-'), certificateFiles),
  text('label-pkcs7', (all) => all.replaceAll(' CERTIFICATE-', ' PKCS7-'), certificateFiles),
  text('label-space', (all) => all.replaceAll(' CERTIFICATE-', ' CERTIFICATE -'), certificateFiles),
  text(
    'label-end-differs',
    end((line) => line.replace('END ', 'END X')),
  ),
  text('label-empty', (all) => all.replace(/(BEGIN|END) [A-Z ]+-----/g, '$1 -----')),
  text(
    'four-dashes',
    begin((line) => line.slice(1)),
  ),
  text(
    'six-dashes',
    begin((line) => `-${line}`),
  ),
  text(
    'six-dashes-after',
    begin((line) => `${line}-`),
  ),
  text(
    'no-begin',
    begin(() => ''),
  ),
  text(
    'no-end',
    end(() => ''),
  ),
  text('no-last-end', (all) => all.slice(0, all.lastIndexOf('-----END'))),
  text(
    'begin-twice',
    begin((line) => `${line}\n${line}`),
  ),
  text('begin-before', (all) => `-----BEGIN CERTIFICATE-----\n${all}`),
  text('end-before', (all) => `-----END CERTIFICATE-----\n${all}`),
  text(
    'spaces-in-base64',
    body((lines) => lines.replace(/^(.{20})/gm, '$1 ')),
  ),
  text(
    'tabs-in-base64',
    body((lines) => lines.replace(/^(.{20})/gm, '$1\t')),
  ),
  text(
    'dash-in-base64',
    body((lines) => lines.replace(/^(.{20})/m, '$1-')),
  ),
  text(
    'asterisk-in-base64',
    body((lines) => lines.replace(/^(.{20})/m, '$1*')),
  ),
  text(
    'url-base64',
    body((lines) => lines.replaceAll('+', '-').replaceAll('/', '_')),
  ),
  text(
    'padding-missing',
    body((lines) => lines.replace(/=+$/, '')),
  ),
  text(
    'padding-extra',
    body((lines) => `${lines}=`),
  ),
  text(
    'padding-extra-4',
    body((lines) => `${lines}====`),
  ),
  text(
    'padding-in-middle',
    body((lines) => lines.replace('\n', '==\n')),
  ),
  text(
    'padding-bits',
    body((lines) => lines.replace(/.(?==+$)/, (last) => String.fromCharCode(last.charCodeAt(0) + 1))),
  ),
  text(
    'base64-extra-character',
    body((lines) => `${lines}A`),
  ),
  text(
    'checksum-line',
    body((lines) => `${lines}\n=abcd`),
  ),
  text(
    'one-line',
    body((lines) => lines.replaceAll('\n', '')),
  ),
  text(
    'lines-76',
    body((lines) => lines.replaceAll('\n', '').replace(/.{76}/g, '$&\n')),
  ),
  text(
    'lines-1000',
    body((lines) => lines.replaceAll('\n', '').replace(/.{1000}/g, '$&\n')),
  ),
  text(
    'lines-1',
    body((lines) => lines.replaceAll('\n', '').replace(/./g, '$&\n').trimEnd()),
  ),
  text(
    'lines-20000-spaces',
    body((lines) => lines.replace('\n', `${' '.repeat(20000)}\n`)),
  ),
  text('comment-before', (all) => `# Root of the mesh\n${all}`),
  text('comment-latin1', (all) => `# M\xfcller\n${all}`),
  text('comment-utf8', (all) => `# M\xc3\xbcller\n${all}`),
  text('comment-dashes', (all) => `-----\n${all}`),
  text('comment-begin', (all) => `see -----BEGIN CERTIFICATE----- below\n${all}`),
  text('comment-between', (all) => all.replaceAll('-----\n-----', '-----\n# next\n-----')),
  text('comment-after', (all) => `${all}# end\n`),
  text(
    'comment-in-base64',
    body((lines) => lines.replace('\n', '\n# comment\n')),
  ),
  text(
    'bag-attributes',
    begin((line) => `Bag Attributes\n    localKeyID: 01\nsubject=CN = CA\n${line}`),
  ),
  text('garbage-after', (all) => `${all}\xff\xfe\x00\x01`),
  text('control-z-after', (all) => `${all}\x1a`),
  text('unfinished-block-after', (all) => `${all}-----BEGIN CERTIFICATE-----\nAAAA\n`),
  text('bad-block-after', (all) => `${all}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`),
  text(
    'bad-block-before',
    (all) => `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${all}`,
    certificateFiles,
  ),
  text('empty-block-after', (all) => `${all}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n`),
  text(
    'empty-block-before',
    (all) => `-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n${all}`,
    certificateFiles,
  ),
  text('crl-block-after', (all) => `${all}${pem('X509 CRL', Buffer.from([0x30, 0]))}`),
  text('parameters-block-before', (all) => `${pem('EC PARAMETERS', Buffer.from([0x06, 1, 1]))}${all}`),
  textMutator(
    'pem/key-block-after',
    (bytes, _, files) => Buffer.concat([bytes, files['ca-key.pem']]),
    certificateFiles,
  ),
  textMutator(
    'pem/key-block-before',
    (bytes, _, files) => Buffer.concat([files['ca-key.pem'], bytes]),
    certificateFiles,
  ),
  textMutator('pem/utf-16', (bytes) => Buffer.from(bytes.toString('latin1'), 'utf16le')),
  textMutator('pem/utf-16-bom', (bytes) => Buffer.from(`\ufeff${bytes.toString('latin1')}`, 'utf16le')),
  textMutator('pem/der', (bytes) =>
    Buffer.from((/-----\n([^-]+)-----/.exec(bytes.toString('latin1')) ?? [])[1] ?? '', 'base64'),
  ),
  textMutator('pem/base64-of-pem', (bytes) => bytes.toString('base64')),
  textMutator('pem/empty', () => ''),
  textMutator('pem/blank', () => '\n\n'),
  textMutator('pem/random-byte', (bytes, random) => {
    const changed = Buffer.from(bytes);
    changed[random.below(changed.length)] = random.below(256);
    return changed;
  }),
  textMutator('pem/random-insertion', (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from([random.pick([9, 10, 11, 12, 13, 32, 45, 58, 61, 0, 160])]),
      bytes.subarray(at),
    ]);
  }),
  textMutator('pem/random-deletion', (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(3))]);
  }),
];

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

const contents: readonly Mutator[] = [
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

export const fileMutators: readonly Mutator[] = [...contents, ...texts];
