/** Faults of versions: what runs, what is declared, what is known of it. */
import {builtMinor, builtVersions} from '../../e2e/harness/control-planes.js';
import type {Fault} from '../harness/fault.js';
import {tinyRoot} from '../../helpers/tiny-ca.js';
import {inTurn, inIstioSystem, rolledOut} from '../harness/by-hand.js';
import {image, isHealthy} from './images.js';

const {earlierIstio} = builtVersions;
const declaration = `istio:\n  version: "${builtMinor}"\n`;
/** A release two minor versions before the one that runs. */
const tooOld = `1.${String(Number(builtMinor.slice('1.'.length)) - 2)}.6`;
const withVersion = (text: string): string => `${text}${declaration}`;
const withoutVersion = (text: string): string => text.replace(declaration, '');
const rotationReady = '  rotationReady: true\n';

/** Changes mesh.yaml, and takes that back when the fault is fixed. */
function edited(change: (text: string) => string, back: (text: string) => string): Fault['seed'] {
  return (lab) => {
    lab.edit('mesh.yaml', change);
    return Promise.resolve(async () => {
      lab.edit('mesh.yaml', back);
      await lab.waitForGreen();
    });
  };
}

/** mesh.yaml declares the version that runs, and install.yaml is rendered for it. */
const declared = inTurn(
  edited(withVersion, withoutVersion),
  async (lab) => {
    await lab.cli.must('install', 'render');
    return undefined;
  },
  isHealthy,
);

/** A variable of istiod's environment is gone. */
function unset(cluster: string, name: string): Fault['seed'] {
  return inTurn(inIstioSystem(cluster, 'set', 'env', 'deployment/istiod', `${name}-`), async (lab) => {
    await rolledOut(lab.cluster(cluster));
    return undefined;
  });
}

/** Cluster one trusts a second root, until the fault is fixed. */
const twoRoots: Fault['seed'] = async (lab) => {
  const {certificate} = await tinyRoot({meshID: 'mesh1'});
  const push = async (change: (text: string) => string): Promise<void> => {
    for (const file of ['root-cert.pem', 'one/root-cert.pem']) lab.edit(file, change);
    await lab.cli.must('trust', 'push', 'one', '--restart-istiod', '--allow-root-change', '--yes');
  };
  await push((text) => text + certificate.pem);
  return async () => {
    await push((text) => text.replace(certificate.pem, ''));
    await lab.waitForGreen();
  };
};

export const versionFaults: readonly Fault[] = [
  {
    id: 'MESH205-too-new',
    title: 'the running Istio uses APIs that this Kubernetes version no longer serves',
    shape: 'alone',
    cluster: 'one',
    says: /no longer serves policy\/v1beta1 .* of Istio 1\.13\.9/,
    // Everything else is as with 1.14, which this Kubernetes version still serves.
    seed: inTurn(image('one', '1.14.6'), isHealthy, image('one', '1.13.9'), (lab) =>
      Promise.resolve(async () => {
        lab.edit('mesh.yaml', withoutVersion);
        await lab.waitForGreen();
      }),
    ),
    fix: {editor: withVersion},
  },
  {
    id: 'MESH408-other-version',
    title: "istiod's image has a version other than the declared one",
    cluster: 'two',
    says: new RegExp(`istiod runs ${earlierIstio}`),
    seed: inTurn(declared, image('two', earlierIstio)),
    fix: 'as printed',
  },
  {
    id: 'MESH409-two-minors',
    title: 'the control planes of two clusters are two minor versions apart',
    result: 'warning',
    says: new RegExp(`one runs ${tooOld}, two runs ${builtVersions.istio}`),
    seed: image('one', tooOld),
    fix: 'as printed',
  },
  {
    id: 'MESH410-one-root-only',
    title: 'two roots are in cacerts, and this istiod gives proxies only the last one',
    shape: 'alone',
    cluster: 'one',
    says: /1\.24\.4: root-cert\.pem contains 2 roots: proxies reject/,
    seed: inTurn(declared, image('one', '1.24.4'), unset('one', 'ISTIO_MULTIROOT_MESH'), twoRoots),
    // MESH408 also reports the version.
    verifyArgs: ['--only', 'MESH410'],
    fix: 'as printed',
  },
  {
    id: 'MESH410-multi-root-off',
    title: 'mesh.yaml declares rotationReady, and ISTIO_MULTIROOT_MESH was removed',
    cluster: 'one',
    result: 'warning',
    says: /ISTIO_MULTIROOT_MESH is not true/,
    seed: inTurn(
      edited(
        (text) => text.replace('trust:\n', `trust:\n${rotationReady}`),
        (text) => text.replace(rotationReady, ''),
      ),
      unset('one', 'ISTIO_MULTIROOT_MESH'),
    ),
    fix: 'as printed',
  },
];
