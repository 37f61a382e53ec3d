/** CAs in the work directory that are wrong: made by hand, by other tools, or left too long. */
import {randomBytes} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {tinyClusterCa, tinyLeaf, tinyRoot} from '../../helpers/tiny-ca.js';
import {createCacerts, meshRoot, putCa} from '../harness/cas.js';
import type {Fault} from '../harness/fault.js';
import {everywhere, expiryFaults, onDisk, putClusterCa} from './workdir-expiry.js';

/** Changes a file in a way that makes it invalid. */
function changedFile(file: string, change: (text: string) => string): Fault['seed'] {
  return (lab) => {
    lab.edit(file, change);
    return Promise.resolve(undefined);
  };
}

function typed(line: string): Fault['seed'] {
  return async (lab) => {
    await lab.type(line);
    return undefined;
  };
}

const blocks = (text: string): readonly string[] => text.match(/-----BEGIN[\s\S]*?-----END[^\n]*\n/g) ?? [];

const chainFaults: readonly Fault[] = [
  {
    id: 'MESH103-reversed-chain',
    title: 'cert-chain.pem has the root first',
    cluster: 'one',
    result: 'warning',
    says: /cert-chain\.pem/,
    seed: changedFile('one/cert-chain.pem', (text) => [...blocks(text)].reverse().join('')),
    fix: 'as printed',
  },
  {
    id: 'MESH103-chain-of-root',
    title: 'cert-chain.pem has only the root',
    cluster: 'one',
    says: /cert-chain\.pem/,
    seed: typed('cat root-cert.pem > one/cert-chain.pem'),
    fix: 'as printed',
  },
  {
    id: 'MESH103-byte-order-mark',
    title: 'an editor on Windows saved ca-cert.pem with a byte order mark',
    cluster: 'one',
    says: /byte order mark/,
    seed: changedFile('one/ca-cert.pem', (text) => `\ufeff${text}`),
    fix: 'as printed',
  },
  {
    id: 'MESH103-path-length',
    title: 'the cluster CA is issued by an intermediate with pathlen:0',
    cluster: 'two',
    says: /path/i,
    seed: async (lab) => {
      const root = meshRoot(lab);
      const intermediate = await tinyClusterCa(root, 'two');
      putCa(lab, 'two', await tinyClusterCa(intermediate, 'two'), [intermediate, root]);
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH103-no-cert-sign',
    title: "a cluster CA's key usage lacks keyCertSign",
    cluster: 'one',
    says: /keyCertSign/,
    seed: onDisk('one', {
      change: (template) => ({...template, extensions: {...template.extensions, keyUsage: ['digitalSignature']}}),
    }),
    fix: 'as printed',
  },
  {
    id: 'MESH103-leaf',
    title: 'a workload certificate is in place of the CA',
    cluster: 'one',
    says: /CA/,
    seed: async (lab) => {
      const root = meshRoot(lab);
      putCa(lab, 'one', await tinyLeaf(root, {days: 365}), [root]);
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH103-cut-off',
    title: 'ca-cert.pem was truncated when it was copied',
    cluster: 'two',
    says: /ca-cert\.pem/,
    seed: changedFile('two/ca-cert.pem', (text) => text.slice(0, 400)),
    fix: 'as printed',
  },
  {
    id: 'MESH103-empty',
    title: 'ca-cert.pem is empty after a failed download',
    cluster: 'two',
    says: /ca-cert\.pem/,
    seed: typed(': > two/ca-cert.pem'),
    fix: 'as printed',
  },
  {
    id: 'MESH103-root-of-another-mesh',
    title: "a cluster's root-cert.pem was replaced with another mesh's",
    cluster: 'one',
    says: /root/,
    seed: async (lab) => {
      writeFileSync(lab.path('one', 'root-cert.pem'), (await tinyRoot({meshID: 'other'})).certificate.pem);
      return undefined;
    },
    fix: 'as printed',
  },
];

const keyFaults: readonly Fault[] = [
  {
    id: 'MESH104-other-key',
    title: "a cluster's ca-key.pem is the other cluster's key",
    cluster: 'one',
    says: /another certificate/,
    seed: typed('cat two/ca-key.pem > one/ca-key.pem'),
    fix: 'as printed',
  },
  {
    id: 'MESH104-encrypted',
    title: "a cluster's ca-key.pem was encrypted",
    cluster: 'one',
    says: /encrypted/,
    seed: typed(
      'umask 077; openssl pkcs8 -topk8 -v2 aes-256-cbc -in one/ca-key.pem -passout pass:secret -out locked; cat locked > one/ca-key.pem; rm locked',
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH104-parameters-first',
    title: 'ca-key.pem begins with EC PARAMETERS, as openssl ecparam writes it',
    cluster: 'two',
    says: /EC PARAMETERS/,
    seed: typed(
      'umask 077; (openssl ecparam -name prime256v1; openssl ec -in two/ca-key.pem 2>/dev/null) > both; cat both > two/ca-key.pem; rm both',
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH104-certificate',
    title: 'ca-key.pem contains the certificate',
    cluster: 'two',
    says: /certificate/i,
    seed: typed('cat two/ca-cert.pem > two/ca-key.pem'),
    fix: 'as printed',
  },
];

const meshFaults: readonly Fault[] = [
  {
    id: 'MESH105-other-root',
    title: "a cluster's CA was issued by another root, in another work directory",
    says: /two/,
    seed: async (lab) => {
      const root = await tinyRoot({meshID: 'other'});
      putCa(lab, 'two', await tinyClusterCa(root, 'two'), [root]);
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH105-root-replaced',
    title: "the mesh's root-cert.pem was replaced with another mesh's",
    says: /root-cert\.pem of the mesh/,
    seed: async (lab) => {
      writeFileSync(lab.path('root-cert.pem'), (await tinyRoot({meshID: 'other'})).certificate.pem);
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH110-copied',
    title: "a cluster's CA was copied to the other cluster and pushed",
    says: /one and two/,
    seed: async (lab) => {
      await lab.type('for file in ca-cert ca-key cert-chain root-cert; do cat one/$file.pem > two/$file.pem; done');
      await createCacerts(lab, 'two');
      await lab.waitForChain('two');
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH110-one-serial',
    title: 'two cluster CAs of one root have the same serial number, as an old Makefile created them',
    result: 'warning',
    says: /serial number/,
    seed: async (lab) => {
      const serial = randomBytes(16);
      await everywhere('one', {change: (template) => ({...template, serial})})(lab);
      return everywhere('two', {change: (template) => ({...template, serial})})(lab);
    },
    fix: 'as printed',
  },
  {
    id: 'MESH112-swapped',
    title: "two clusters' directories were swapped",
    says: /one has the CA of two/,
    seed: typed('mv one moved; mv two one; mv moved two'),
    fix: 'as printed',
  },
  {
    id: 'MESH112-made-for-other',
    title: 'the CA in a directory was issued for the other cluster',
    says: /one has the CA of two/,
    seed: async (lab) => {
      await putClusterCa(lab, 'one', {}, 'two');
      return undefined;
    },
    fix: 'as printed',
  },
];

export const workdirCaFaults: readonly Fault[] = [...chainFaults, ...keyFaults, ...meshFaults, ...expiryFaults];
