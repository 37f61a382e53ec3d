/** Faults of how keys are kept: committed to git, left on disk, used twice. */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {inIstioSystem} from '../harness/by-hand.js';
import {createCacerts} from '../harness/cas.js';
import type {Fault, Undo} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

const git = 'git -c user.name=alice -c user.email=alice@example.org';

/** Keeps the work directory in git, and commits these files although they are ignored. */
function committed(...files: readonly string[]): Fault['seed'] {
  return async (lab) => {
    const list = files.join(' ');
    await lab.type(
      `git init -q .; git add .gitignore mesh.yaml; ${git} commit -q -m mesh; git add -f ${list}; ${git} commit -q -m oops; ` +
        `git rm -q --cached ${list}; ${git} commit -q -m "take it back"`,
    );
    return withoutGit(lab);
  };
}

/** A history without the key: what rewriting it, or a new repository, comes to. */
function withoutGit(lab: Lab): Undo {
  return () => {
    rmSync(lab.path('.git'), {recursive: true, force: true});
    return Promise.resolve();
  };
}

const newRepository = {
  person: 'rewrites the history, which has not been cloned',
  act: (lab: Lab) => withoutGit(lab)(),
};

export const keyFaults: readonly Fault[] = [
  {
    id: 'MESH114-cluster-key',
    title: "a cluster's CA key was committed, and removed by the next commit",
    says: /the unencrypted CA key of two: two\/ca-key\.pem/,
    seed: committed('two/ca-key.pem'),
    // The printed command creates a new CA; the finding remains until the key is removed from the history.
    fix: newRepository,
  },
  {
    id: 'MESH114-encrypted-root',
    title: 'the encrypted root key was committed, and removed by the next commit',
    result: 'warning',
    says: /an encrypted private key: root-key\.pem/,
    seed: committed('root-key.pem'),
    fix: newRepository,
  },
  {
    id: 'MESH114-manifest',
    title: "a cluster's Secret cacerts was committed as a manifest",
    says: /the unencrypted CA key of one: backup\/secret\.yaml/,
    seed: async (lab) => {
      await lab.type(
        'mkdir -p backup; kubectl --context kwok-one -n istio-system get secret cacerts -o yaml > backup/secret.yaml',
      );
      const undo = await committed('backup/secret.yaml')(lab);
      return async () => {
        await undo?.();
        rmSync(lab.path('backup'), {recursive: true});
      };
    },
    fix: newRepository,
  },
  {
    id: 'MESH115-kept',
    title: 'mesh.yaml does not retain cluster keys, and keys of pushed CAs exist',
    cluster: 'one',
    also: ['two'],
    result: 'warning',
    says: /ca-key\.pem is still present/,
    seed: (lab) => {
      lab.edit('mesh.yaml', (text) => text.replace(/^trust:\n/m, 'trust:\n  keepClusterKeys: false\n'));
      return Promise.resolve(async () => {
        lab.edit('mesh.yaml', (text) => text.replace('  keepClusterKeys: false\n', ''));
        // The next faults want keys that can be pushed again.
        for (const name of ['one', 'two']) await lab.cli.must('certs', 'generate', name, '--renew', '--yes');
        await lab.cli.must('trust', 'push', '--restart-istiod', '--yes');
        // What is ok then includes the keys again.
        await lab.waitForGreen();
      });
    },
    fix: 'as printed',
  },
  {
    id: 'MESH110-one-key',
    title: 'two clusters have different certificates for one key',
    says: /the same key/,
    seed: async (lab) => {
      const pass = 'env:KUBECTL_MESH_PASSPHRASE';
      await lab.type(
        [
          'cp one/ca-key.pem two/ca-key.pem',
          "printf '%s\\n' 'basicConstraints=critical,CA:TRUE,pathlen:0' 'keyUsage=critical,keyCertSign,cRLSign' 'subjectKeyIdentifier=hash' > ext.cnf",
          'openssl req -new -key two/ca-key.pem -subj "/O=Istio/CN=Intermediate CA/L=two" -out two.csr',
          `openssl x509 -req -in two.csr -CA root-cert.pem -CAkey root-key.pem -passin ${pass} -days 700 -extfile ext.cnf -out two/ca-cert.pem`,
          'cat two/ca-cert.pem root-cert.pem > two/cert-chain.pem',
          'rm ext.cnf two.csr',
        ].join('\n'),
      );
      await lab.cli.must('trust', 'push', 'two', '--restart-istiod', '--yes');
      await lab.waitForChain('two');
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH110-root-key',
    title: "a cluster's CA uses the root's key",
    says: /the root key/,
    seed: async (lab) => {
      const pass = 'env:KUBECTL_MESH_PASSPHRASE';
      await lab.type(
        [
          'umask 077',
          `openssl pkey -in root-key.pem -passin ${pass} -out two/ca-key.pem`,
          "printf '%s\\n' 'basicConstraints=critical,CA:TRUE,pathlen:0' 'keyUsage=critical,keyCertSign,cRLSign' 'subjectKeyIdentifier=hash' > ext.cnf",
          'openssl req -new -key two/ca-key.pem -subj "/O=Istio/CN=Intermediate CA/L=two" -out two.csr',
          `openssl x509 -req -in two.csr -CA root-cert.pem -CAkey root-key.pem -passin ${pass} -days 700 -extfile ext.cnf -out two/ca-cert.pem`,
          'cat two/ca-cert.pem root-cert.pem > two/cert-chain.pem',
          'rm ext.cnf two.csr',
        ].join('\n'),
      );
      await createCacerts(lab, 'two');
      await lab.waitForChain('two');
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH117-comment',
    title: "another cluster's CA key is in a comment of root-cert.pem, in base64",
    says: /one\/root-cert\.pem contains a private key/,
    seed: async (lab) => {
      await lab.type("(printf '# '; base64 -w0 two/ca-key.pem; echo) >> one/root-cert.pem");
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH311-root-cert',
    title: 'root-cert.pem in cacerts has a private key in a comment, which istiod publishes',
    cluster: 'one',
    says: /root-cert\.pem in Secret istio-system\/cacerts/,
    seed: async (lab) => {
      const comment = `# ${Buffer.from(lab.read('two/ca-key.pem')).toString('base64')}\n`;
      const value = Buffer.from(lab.read('root-cert.pem') + comment).toString('base64');
      const patch = JSON.stringify([{op: 'replace', path: '/data/root-cert.pem', value}]);
      await inIstioSystem('one', 'patch', 'secret', 'cacerts', '--type=json', '-p', patch)(lab);
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH312-left-over',
    title: "istio-ca-secret with the mesh's root key is left over from the time before cacerts",
    cluster: 'one',
    result: 'warning',
    says: /Secret istio-system\/istio-ca-secret holds the key of a root/,
    seed: async (lab) => {
      const file = join(lab.setting.sandbox.dir, 'root-key-in-the-clear.pem');
      await lab.type(`openssl pkey -in root-key.pem -passin env:KUBECTL_MESH_PASSPHRASE -out '${file}'`);
      const from = [`--from-file=ca-key.pem=${file}`, `--from-file=ca-cert.pem=${lab.path('root-cert.pem')}`];
      await inIstioSystem('one', 'create', 'secret', 'generic', 'istio-ca-secret', ...from)(lab);
      rmSync(file);
      return undefined;
    },
    fix: 'as printed',
  },
];
