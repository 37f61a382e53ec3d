/** Reads the settings that determine from which CA proxies request their certificates. */
import * as z from 'zod';
import {hostOf} from '../../istio/ca-address.js';
import {defaultRevision, ofRevision} from '../../istio/names.js';
import type {ConfigMapObject} from '../../kube/objects.js';
import type {ControlPlaneFacts, ProxyCa} from '../facts.js';
import {readOfRevision} from './control-plane.js';
import {proxyMetadataOf} from './proxies.js';
import {word} from './yaml.js';

const injector = 'istio-sidecar-injector';

const valuesSchema = z.object({
  global: z.object({caAddress: word, caName: word, remotePilotAddress: word}).catch({}),
});
const meshConfigSchema = z
  .object({defaultConfig: z.object({discoveryAddress: word}).catch({})})
  .catch({defaultConfig: {}});

/**
 * The settings of every injector: of the running revisions, or, in a remote cluster, which runs no istiod, of each ConfigMap.
 * A variable in proxyMetadata has the same effect as the value that the injection template writes (istio/istio
 * manifests/charts/istio-control/istio-discovery/files/injection-template.yaml). Throws `API_ERROR` if one is unreadable.
 */
export function readProxyCas(
  controlPlanes: readonly Pick<ControlPlaneFacts, 'revision'>[],
  configMaps: readonly ConfigMapObject[],
): readonly ProxyCa[] {
  const revisions = controlPlanes.length > 0 ? controlPlanes.map(({revision}) => revision) : revisionsOf(configMaps);
  return [...new Set(revisions)].map((revision) => {
    const {global} = readOfRevision(valuesSchema, configMaps, {name: injector, key: 'values', revision});
    const config = {name: 'istio', key: 'mesh', revision};
    const {defaultConfig} = readOfRevision(meshConfigSchema, configMaps, config);
    const metadata = proxyMetadataOf(configMaps, revision);
    const [values, mesh] = [ofRevision(injector, revision), ofRevision('istio', revision)];
    const variable = (name: string) => ({
      name: `proxyMetadata ${name}`,
      object: `ConfigMap ${mesh}`,
      value: metadata[name],
    });
    const value = (name: 'caAddress' | 'caName') => ({
      name: `values.global.${name}`,
      object: `ConfigMap ${values}`,
      value: global[name],
    });
    const set = (settings: readonly ReturnType<typeof variable>[]) =>
      settings.flatMap((one) => (one.value === undefined || one.value === '' ? [] : [{...one, value: one.value}]));
    return {
      injector: `ConfigMap ${values}`,
      addresses: set([value('caAddress'), variable('CA_ADDR')]),
      providers: set([value('caName'), variable('CA_PROVIDER')]),
      istiodHosts: [defaultConfig.discoveryAddress, global.remotePilotAddress].flatMap((address) =>
        address === undefined ? [] : [hostOf(address)],
      ),
    };
  });
}

function revisionsOf(configMaps: readonly ConfigMapObject[]): readonly string[] {
  return configMaps.flatMap(({metadata: {name}}) =>
    name === injector ? [defaultRevision] : name.startsWith(`${injector}-`) ? [name.slice(injector.length + 1)] : [],
  );
}
