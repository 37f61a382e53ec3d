/** Faults of ambient mode on several networks, and of images. No ztunnel runs here: its pod is enough. */
import {builtMinor} from '../../e2e/harness/control-planes.js';
import type {Fault} from '../harness/fault.js';
import {inIstioSystem, inTurn, kubectl, rolledOut} from '../harness/by-hand.js';
import {image, isHealthy} from './images.js';

const multiNetwork = 'AMBIENT_ENABLE_MULTI_NETWORK';

/** istiod's variables, until the fault is fixed. */
function environment(...variables: readonly string[]): Fault['seed'] {
  return async (lab) => {
    const on = lab.cluster('one');
    const set = async (...words: readonly string[]): Promise<void> => {
      await on.kubectl('-n', 'istio-system', 'set', 'env', 'deployment/istiod', ...words);
      await rolledOut(on);
    };
    await set(...variables);
    return () => set('PILOT_ENABLE_AMBIENT-', `${multiNetwork}-`);
  };
}

/** A ztunnel pod, until the fault is fixed. */
const ztunnel: Fault['seed'] = async (lab) => {
  const pod = ['run', 'ztunnel-1', '--image=istio/ztunnel:1.31.0', '--labels=app=ztunnel'];
  await inIstioSystem('one', ...pod)(lab);
  return async () => {
    await inIstioSystem('one', 'delete', 'pod', 'ztunnel-1', '--wait=true')(lab);
  };
};

/** A namespace, until the fault is fixed. */
const shop: Fault['seed'] = async (lab) => {
  await kubectl('one', 'create', 'namespace', 'shop')(lab);
  return async () => {
    await kubectl('one', 'delete', 'namespace', 'shop', '--timeout=60s')(lab);
  };
};

/** What a user adds to mesh.yaml is taken back when the fault is fixed. */
const declaredMeanwhile: Fault['seed'] = (lab) => {
  const before = lab.read('mesh.yaml');
  return Promise.resolve(async () => {
    lab.edit('mesh.yaml', () => before);
    await lab.cli.must('install', 'render', 'one');
    await lab.cli.must('install', 'apply', 'one', '--yes');
    await lab.waitForGreen();
  });
};

const everyServiceGlobal = `    values:
      meshConfig:
        serviceScopeConfigs:
          - scope: GLOBAL
`;

/** Every Service of cluster one is global, as declared and as installed, so that sidecars keep their endpoints. */
function everyServiceIsGlobal(text: string): string {
  return text.replace(/(name: one\n)/, `$1${everyServiceGlobal}`);
}

/** Declares something in mesh.yaml and installs it. */
function declares(change: (text: string) => string): Fault['seed'] {
  return async (lab) => {
    lab.edit('mesh.yaml', change);
    await lab.cli.must('install', 'render');
    await lab.cli.must('install', 'apply', 'one', '--yes');
    return undefined;
  };
}

/** Ambient mode beside sidecars, on several networks. */
const mixed: Fault['seed'] = inTurn(
  environment('PILOT_ENABLE_AMBIENT=true', `${multiNetwork}=true`),
  ztunnel,
  shop,
  kubectl('one', 'label', 'namespace', 'shop', 'istio-injection=enabled'),
);

export const ambientFaults: readonly Fault[] = [
  {
    id: 'MESH417-not-enabled',
    title: 'ztunnel runs on one of several networks, and istiod ignores the other networks for it',
    shape: 'networks',
    cluster: 'one',
    says: /AMBIENT_ENABLE_MULTI_NETWORK of istiod is not set/,
    seed: inTurn(environment('PILOT_ENABLE_AMBIENT=true'), ztunnel),
    fix: 'as printed',
  },
  {
    id: 'MESH410-ambient-beside-sidecars',
    title: 'ambient mode on several networks is enabled in a mesh with sidecars',
    shape: 'networks',
    cluster: 'one',
    result: 'warning',
    says: /sidecars are injected into shop/,
    seed: inTurn(
      declaredMeanwhile,
      environment('PILOT_ENABLE_AMBIENT=true', `${multiNetwork}=true`),
      ztunnel,
      shop,
      isHealthy,
      kubectl('one', 'label', 'namespace', 'shop', 'istio-injection=enabled'),
    ),
    fix: {editor: everyServiceIsGlobal},
  },
  {
    id: 'MESH410-ambient-ingress',
    title: 'ingress gateways use ambient east-west gateways, and lose the sidecars on other networks',
    shape: 'networks',
    cluster: 'one',
    result: 'warning',
    says: /AMBIENT_ENABLE_MULTI_NETWORK_INGRESS is true/,
    seed: inTurn(
      declaredMeanwhile,
      declares(everyServiceIsGlobal),
      mixed,
      isHealthy,
      inIstioSystem('one', 'set', 'env', 'deployment/istiod', `${multiNetwork}_INGRESS=true`),
      async (lab) => {
        await rolledOut(lab.cluster('one'));
        return undefined;
      },
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH410-ambient-gateway',
    title: 'this istiod gives sidecars ambient east-west gateways, with which they cannot communicate',
    shape: 'networks',
    cluster: 'one',
    result: 'warning',
    says: /1\.28\.6: .* fail with status 503/,
    seed: inTurn(
      declaredMeanwhile,
      declares((text) => `${everyServiceIsGlobal(text)}istio:\n  version: "${builtMinor}"\n`),
      mixed,
      isHealthy,
      image('one', '1.28.6'),
    ),
    // MESH408 and MESH409 also report the version.
    verifyArgs: ['--only', 'MESH410'],
    fix: 'as printed',
  },
  {
    id: 'MESH419-retired-hub',
    title: 'istiod runs an image of a hub that is shut down',
    shape: 'alone',
    cluster: 'one',
    result: 'warning',
    says: /istiod: gcr\.io\/istio-release/,
    seed: inTurn(
      declaredMeanwhile,
      inIstioSystem('one', 'set', 'image', 'deployment/istiod', 'discovery=gcr.io/istio-release/pilot:1.31.0'),
      async (lab) => {
        await rolledOut(lab.cluster('one'));
        return undefined;
      },
    ),
    fix: {editor: (text) => `${text}istio:\n  hub: docker.io/istio\n`},
  },
];
