/** Reads the hubs of the images that Istio runs, and that its injector gives to proxies. */
import * as z from 'zod';
import {hubOf, withHost} from '../../istio/hubs.js';
import {selects, type ConfigMapObject, type DeploymentObject, type PodObject} from '../../kube/objects.js';
import {printableLine} from '../../printable.js';
import type {UsedHub} from '../facts.js';
import {isBeingDeleted} from './control-plane.js';
import {isGone} from './pods.js';
import {readYaml, word} from './yaml.js';

/** The objects of Istio's namespace. */
interface HubObjects {
  readonly deployments: readonly DeploymentObject[];
  readonly pods: readonly PodObject[];
  readonly configMaps: readonly ConfigMapObject[];
}

const injector = 'istio-sidecar-injector';
const proxyImage = z.object({image: word}).catch({});
const valuesSchema = z.object({
  global: z.object({hub: word, proxy: proxyImage.optional(), proxy_init: proxyImage.optional()}).catch({}),
});

/** Returns every hub that something uses, with each user once. Throws `API_ERROR` if an injector's values are unreadable. */
export function readHubs({deployments, pods, configMaps}: HubObjects): readonly UsedHub[] {
  const running = deployments.filter((one) => !isBeingDeleted(one));
  const ofPods = pods.filter((pod) => !isGone(pod)).flatMap((pod) => hubsOfPod(pod, running));
  return unique([...running.flatMap(hubsOfDeployment), ...ofPods, ...configMaps.flatMap(hubsOfInjector)]);
}

function hubsOfDeployment({metadata: {name}, spec}: DeploymentObject): readonly UsedHub[] {
  const {containers, initContainers = []} = spec.template.spec;
  return hubsOf([...containers, ...initContainers]).map((hub) => ({hub, usedBy: name}));
}

/** The hubs of a pod's images that its Deployment's template does not have: those that the injector added. */
function hubsOfPod({metadata, spec = {}}: PodObject, deployments: readonly DeploymentObject[]): readonly UsedHub[] {
  const owner = deployments.find((one) => selects(one.spec.selector, metadata.labels ?? {}));
  const hubs = hubsOf([...(spec.containers ?? []), ...(spec.initContainers ?? [])]);
  if (!owner) return hubs.map((hub) => ({hub, usedBy: `pod ${metadata.name}`}));
  const {name} = owner.metadata;
  const ofTemplate = new Set(hubsOfDeployment(owner).map(({hub}) => hub));
  return hubs.flatMap((hub) => (ofTemplate.has(hub) ? [] : [{hub, usedBy: `pods of ${name}`, injectedInto: name}]));
}

/**
 * The hubs of the images that the injector gives to proxies and their init containers: those of the images if they contain a
 * path, otherwise the hub (istio/istio manifests/charts/istio-control/istio-discovery/files/injection-template.yaml).
 */
function hubsOfInjector({metadata: {name}, data}: ConfigMapObject): readonly UsedHub[] {
  if (name !== injector && !name.startsWith(`${injector}-`)) return [];
  const {global} = readYaml(valuesSchema, data?.values, `values of ConfigMap ${name} are not valid YAML`);
  const hub = global.hub === undefined ? undefined : withHost(global.hub);
  const hubs = [global.proxy, global.proxy_init].flatMap((image) => hubOf(image?.image ?? '') ?? hub ?? []);
  return [...new Set(hubs)].map((one) => ({hub: one, usedBy: `ConfigMap ${name}`}));
}

function hubsOf(containers: readonly {readonly image?: string}[]): readonly string[] {
  return [...new Set(containers.flatMap(({image = ''}) => hubOf(image) ?? []))];
}

function unique(uses: readonly UsedHub[]): readonly UsedHub[] {
  const keyed = new Map(
    uses.map((use) => {
      const hub = printableLine(use.hub);
      return [`${hub} ${use.usedBy}`, {...use, hub}] as const;
    }),
  );
  return [...keyed.values()];
}
