/** Faults of the work directory: what editors, backups, checkouts and people make of files. CAs: workdir-cas.ts. */
import {rmSync, writeFileSync} from 'node:fs';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';
import {rewriteJournal} from '../../helpers/rewrite-journal.js';
import {join} from 'node:path';
import {passphrase} from '../../e2e/harness/mesh-cli.js';
import {keyFaults} from './keys.js';
import {workdirCaFaults} from './workdir-cas.js';

/** Runs this command in the work directory. */
function typed(line: string): Fault['seed'] {
  return async (lab) => {
    await lab.type(line);
    return undefined;
  };
}

/** Edits mesh.yaml. */
function edited(change: (text: string) => string): Fault['seed'] {
  return (lab) => {
    lab.edit('mesh.yaml', change);
    return Promise.resolve(undefined);
  };
}

/** `certs passphrase` asks for a new passphrase twice; the old one stands in the environment. */
const newPassphrase = [
  {when: /New passphrase for the root key/, type: `${passphrase}\n`},
  {when: /Repeat the passphrase:/, type: `${passphrase}\n`},
];

const declarationFaults: readonly Fault[] = [
  {
    id: 'MESH101-misspelled-field',
    title: 'a field of mesh.yaml is misspelled',
    says: /clusterz/,
    seed: edited((text) => text.replace(/^clusters:/m, 'clusterz:')),
    fix: {editor: (text) => text.replace(/^clusterz:/m, 'clusters:')},
    exitCode: 2,
  },
  {
    id: 'MESH101-tab',
    title: 'a line of mesh.yaml is indented with a tab',
    says: /mesh\.yaml:\d+:\d+/,
    seed: edited((text) => text.replace('    network: network1', '\tnetwork: network1')),
    fix: {editor: (text) => text.replace('\tnetwork: network1', '    network: network1')},
    exitCode: 2,
  },
  {
    id: 'MESH101-same-name',
    title: 'two clusters in mesh.yaml have the same name',
    says: /one/,
    seed: edited((text) => text.replace('name: two', 'name: one')),
    fix: {
      editor: (text) => {
        const last = text.lastIndexOf('name: one');
        return `${text.slice(0, last)}name: two${text.slice(last + 'name: one'.length)}`;
      },
    },
    exitCode: 2,
  },
  {
    id: 'MESH101-contexts',
    title: 'contexts.yaml is a list instead of a map',
    says: /contexts\.yaml/,
    seed: (lab) => {
      writeFileSync(lab.path('contexts.yaml'), '- one: kwok-one\n');
      return Promise.resolve(() => {
        rmSync(lab.path('contexts.yaml'));
        return Promise.resolve();
      });
    },
    fix: {editor: () => 'one: kwok-one\n', file: 'contexts.yaml'},
    exitCode: 2,
  },
];

const fileFaults: readonly Fault[] = [
  {
    id: 'MESH102-chain-deleted',
    title: "a cluster's cert-chain.pem was deleted",
    cluster: 'one',
    says: /no cert-chain\.pem/,
    seed: typed('rm one/cert-chain.pem'),
    fix: 'as printed',
  },
  {
    id: 'MESH102-root-deleted',
    title: "a cluster's root-cert.pem was deleted",
    cluster: 'one',
    says: /no root-cert\.pem/,
    seed: typed('rm one/root-cert.pem'),
    fix: 'as printed',
  },
  {
    id: 'MESH102-certificate-deleted',
    title: "a cluster's ca-cert.pem was deleted; its key exists",
    cluster: 'two',
    says: /no ca-cert\.pem/,
    seed: typed('rm two/ca-cert.pem'),
    fix: 'as printed',
  },
  {
    id: 'MESH102-all-deleted',
    title: "a cluster's CA was deleted on disk",
    cluster: 'two',
    says: /no ca-cert\.pem/,
    seed: typed('rm two/*.pem'),
    fix: 'as printed',
  },
  {
    id: 'MESH106-cluster-key',
    title: "a cluster's CA key was restored from a backup with mode 0644",
    says: /one\/ca-key\.pem has mode 0644/,
    seed: typed('chmod 644 one/ca-key.pem'),
    fix: 'as printed',
  },
  {
    id: 'MESH106-root-key',
    title: 'the root key is readable by the group',
    says: /root-key\.pem has mode 0640/,
    seed: typed('chmod 640 root-key.pem'),
    fix: 'as printed',
  },
  {
    id: 'MESH106-directory',
    title: "a CA key's directory is open to everyone",
    result: 'warning',
    says: /two has mode 0755/,
    seed: typed('chmod 755 two'),
    fix: 'as printed',
  },
  {
    id: 'MESH107-clear',
    title: 'the root key was decrypted with openssl',
    result: 'warning',
    says: /not encrypted/,
    seed: typed(
      'umask 077; openssl pkey -in root-key.pem -passin env:KUBECTL_MESH_PASSPHRASE -out clear; mv clear root-key.pem',
    ),
    fix: {typing: newPassphrase},
  },
  {
    id: 'MESH107-cheap',
    title: "the root key is encrypted with openssl's default of 2,048 rounds",
    result: 'warning',
    says: /2,?048/,
    seed: typed(
      'umask 077; pass=env:KUBECTL_MESH_PASSPHRASE; ' +
        'openssl pkcs8 -topk8 -v2 aes-256-cbc -in root-key.pem -passin $pass -passout $pass -out cheap; mv cheap root-key.pem',
    ),
    fix: {typing: newPassphrase},
  },
  {
    id: 'MESH107-legacy',
    title: 'the root key is encrypted with the headers used before PKCS#8',
    result: 'warning',
    says: /md5/,
    seed: typed(
      'umask 077; pass=env:KUBECTL_MESH_PASSPHRASE; ' +
        'openssl ec -aes256 -in root-key.pem -passin $pass -passout $pass -out legacy; mv legacy root-key.pem',
    ),
    fix: {typing: newPassphrase},
  },
  {
    id: 'MESH111-edited',
    title: 'install.yaml was edited manually',
    cluster: 'one',
    result: 'warning',
    says: /./,
    seed: (lab: Lab) => {
      lab.edit('one/install.yaml', (text) => text.replace('profile: default', 'profile: demo'));
      return Promise.resolve(undefined);
    },
    fix: 'as printed',
  },
  {
    id: 'MESH111-declared-later',
    title: 'a value was declared in mesh.yaml after install.yaml was rendered',
    cluster: 'two',
    result: 'warning',
    says: /logAsJson/,
    seed: edited((text) => text.replace(/(name: two\n)/, '$1    values:\n      global:\n        logAsJson: true\n')),
    fix: 'as printed',
  },
];

/** Does this to the journal; the true one is put back afterwards. */
function tampered(change: (lab: Lab) => Promise<unknown>): Fault['seed'] {
  return async (lab) => {
    const back = join(lab.cli.workDir, '..', 'journal-as-it-was');
    await lab.type(`mkdir -p ${back} && cp -p journal.jsonl .journal-head.json ${back}/`);
    await change(lab);
    return async () => {
      await putBack(lab);
      await lab.waitForGreen();
    };
  };
}

/** The backup over whatever is there now. */
async function putBack(lab: Lab): Promise<void> {
  const back = join(lab.cli.workDir, '..', 'journal-as-it-was');
  await lab.type(`rm -f journal.broken-*; cp -p ${back}/journal.jsonl ${back}/.journal-head.json .`);
}

const journalFaults: readonly Fault[] = [
  {
    id: 'MESH113-edited',
    title: 'the user of a change was edited in the journal',
    says: /line 2/,
    seed: tampered((lab) => lab.type(`sed -i '2s/"user":"[^"]*"/"user":"mallory"/' journal.jsonl`)),
    fix: 'as printed',
    leaves: {checks: ['MESH116'], act: putBack},
  },
  {
    id: 'MESH113-removed',
    title: 'a line of the journal was removed',
    says: /line 3/,
    seed: tampered((lab) => lab.type('sed -i 3d journal.jsonl')),
    fix: 'as printed',
    leaves: {checks: ['MESH116'], act: putBack},
  },
  {
    id: 'MESH113-cut-off',
    title: 'the last line of the journal is cut off: the disk was full, or the machine lost power',
    result: 'warning',
    says: /truncated/,
    seed: tampered((lab) => lab.type('truncate -s -20 journal.jsonl')),
    fix: 'as printed',
    leaves: {checks: ['MESH116'], act: putBack},
  },
  {
    id: 'MESH116-rewritten',
    title: 'the journal was rewritten for another user, with valid hashes',
    cluster: 'one',
    also: ['two'],
    says: /differs from the recorded entry/,
    seed: tampered((lab) => rewriteJournal(lab.cli.workDir, (entry) => ({...entry, user: 'mallory'}))),
    fix: {person: 'restores the real journal from a backup, which no command could know', act: putBack},
  },
];

export const workdirFaults: readonly Fault[] = [
  ...declarationFaults,
  ...fileFaults,
  ...journalFaults,
  ...workdirCaFaults,
  ...keyFaults,
];
