import {hostOf, isIstiodAddress, isSameAddress, istioCaProvider} from '../../istio/ca-address.js';
import {parseBool} from '../../istio/environment.js';
import {istiodSecurePort} from '../../istio/names.js';
import {defaultIstioCsrAddress, type SignerSpec} from '../../mesh/signer.js';
import {fixWith, inspectWith, type Suggestion, words} from '../../suggest/suggestion.js';
import {apiServerCheck, type ClusterSubject, type Finding, findingsOr, notApplicable, ok} from '../check.js';
import type {ControlPlaneFacts, GatewayFacts, ProxyCa, ProxySetting} from '../../facts/facts.js';
import {reinstallFix} from '../fixes.js';

const kubernetesRa = 'ISTIOD_RA_KUBERNETES_API';

/** Workload certificates come from the CA that mesh.yaml declares. */
export const proxyCaCheck = apiServerCheck({
  id: 'MESH415',
  title: 'Proxies are configured with the declared CA',
  requires: ['proxyCas', 'controlPlanes'],
  optional: ['gateways'],
  judge: ({proxyCas, controlPlanes, gateways = []}, subject) => {
    const {signer} = subject.mesh.trust;
    if (signer.type === 'external' && signer.issuer === 'spire') {
      return notApplicable('SPIRE issues workload certificates through a socket, not at an address (trust.signer)');
    }
    if (proxyCas.length === 0) return notApplicable('no istiod and no ConfigMap istio-sidecar-injector here');
    const csrAddress = istioCsrAddress(signer);
    const expected =
      csrAddress === undefined ? "certificates from this mesh's istiod" : `certificates from ${csrAddress}`;
    const findings = [
      ...proxyCas.flatMap((one) => injectorFindings(one, csrAddress, subject)),
      ...gateways.map((gateway) => gatewayFinding(gateway, {proxyCas, controlPlanes, csrAddress}, subject)),
      ...controlPlanes.map((controlPlane) => istiodFinding(controlPlane, signer, subject)),
    ].flatMap((finding) => (finding ? [{...finding, expected}] : []));
    return findingsOr(findings, ok(proxyCas.map(({injector}) => injector).join(', '), expected));
  },
  meaning:
    "The proxies that Istio injects, and the gateways in Istio's namespace, request their certificates from the CA that trust.signer in mesh.yaml declares: with `external` and issuer istio-csr from its caAddress, otherwise from the istiod of this mesh. The settings are values.global.caAddress and caName, CA_ADDR and CA_PROVIDER in meshConfig.defaultConfig.proxyMetadata, and ENABLE_CA_SERVER and EXTERNAL_CA of istiod. The checks of istiod's CA (MESH303, MESH307, MESH308) prove something about workloads only if this one is ok.",
  breaks:
    "Workloads get certificates from a CA that is not part of this mesh's trust: other clusters reject them, and renewing the cluster CA does not change them. If the address does not respond, new proxies never become ready. Typical after an incomplete migration to or from istio-csr.",
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-sidecar-injector -o jsonpath="{.data.values}" | grep -e caAddress -e caName\nkubectl --context "$CTX" -n istio-system get configmap istio -o jsonpath="{.data.mesh}" | grep CA_\nkubectl --context "$CTX" -n "$NAMESPACE" get pod "$POD" -o jsonpath="{.spec.containers[*].env[?(@.name==\'CA_ADDR\')].value}"',
  fix: 'If mesh.yaml is right, remove the setting from overlays, render install.yaml again and apply it. If the other CA is right, declare it as trust.signer. Then restart the workloads that were injected earlier: the setting is in their pods.',
  source:
    'istio/istio manifests/charts/istio-control/istio-discovery/files/injection-template.yaml, pilot/cmd/pilot-agent/options/security.go, pilot/pkg/features/pilot.go (ENABLE_CA_SERVER), pilot/pkg/bootstrap/istio_ca.go (EXTERNAL_CA); istio/istio#39808, istio/istio#40259',
});

/** The address of istio-csr, if it is the declared signer. */
function istioCsrAddress(signer: SignerSpec): string | undefined {
  return signer.type === 'external' && signer.issuer === 'istio-csr'
    ? (signer.caAddress ?? defaultIstioCsrAddress)
    : undefined;
}

function injectorFindings(
  {injector, addresses, providers, istiodHosts}: ProxyCa,
  csrAddress: string | undefined,
  subject: ClusterSubject,
): readonly Finding[] {
  const fix = installFix(injector, subject);
  const isWrong = ({value}: ProxySetting): boolean => !isDeclared(value, istiodHosts, csrAddress, subject);
  const wrong = [...addresses.filter(isWrong), ...providers.filter(({value}) => value !== istioCaProvider)].map(
    (one) => ({
      observed: `${one.object}: ${one.name} is ${one.value}`,
      fix: installFix(one.object, subject),
    }),
  );
  if (wrong.length > 0 || csrAddress === undefined || addresses.length > 0) return wrong;
  return [{observed: `${injector}: no values.global.caAddress, so proxies request certificates from istiod`, fix}];
}

/** Whether an address is that of the declared CA. */
function isDeclared(
  address: string,
  istiodHosts: readonly string[],
  csrAddress: string | undefined,
  {mesh}: ClusterSubject,
): boolean {
  if (csrAddress !== undefined) return isSameAddress(address, csrAddress);
  return isIstiodAddress(address, mesh.istio.namespace) || istiodHosts.includes(hostOf(address));
}

/** The cluster's control planes, and the CA that their proxies must use. */
interface Configured {
  readonly proxyCas: readonly ProxyCa[];
  readonly controlPlanes: readonly ControlPlaneFacts[];
  /** Absent: istiod. */
  readonly csrAddress: string | undefined;
}

/** istioctl and older charts write the address into the gateway's Deployment; it may also have been set by hand. */
function gatewayFinding(
  {workload: {name, env}}: GatewayFacts,
  {proxyCas, controlPlanes, csrAddress}: Configured,
  subject: ClusterSubject,
): Finding | undefined {
  const {CA_ADDR: address = ''} = env;
  const hosts = proxyCas.flatMap(({istiodHosts}) => istiodHosts);
  if (address === '' || isDeclared(address, hosts, csrAddress, subject)) return undefined;
  const {cluster, mesh} = subject;
  const [istiod] = controlPlanes;
  const wanted =
    csrAddress ?? `${istiod?.workload.name ?? 'istiod'}.${mesh.istio.namespace}.svc:${String(istiodSecurePort)}`;
  return {
    observed: `Deployment ${name}: CA_ADDR is ${address}`,
    fix: fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} set env deployment/${name} CA_ADDR=${wanted}`),
  };
}

/** With istio-csr, istiod may keep its CA, which is then unused. */
function istiodFinding(
  {workload: {name, env}}: ControlPlaneFacts,
  signer: SignerSpec,
  subject: ClusterSubject,
): Finding | undefined {
  if (istioCsrAddress(signer) !== undefined) return undefined;
  const {cluster, mesh} = subject;
  const remove = (variable: string): Suggestion =>
    fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} set env deployment/${name} ${variable}-`);
  if (!parseBool(env.ENABLE_CA_SERVER, true)) {
    return {
      observed: `${name}: ENABLE_CA_SERVER is false, so it issues no certificates`,
      fix: remove('ENABLE_CA_SERVER'),
    };
  }
  const isForwarding = env.EXTERNAL_CA === kubernetesRa;
  const isForwardingDeclared = signer.type === 'external' && signer.issuer === 'kubernetes-csr';
  if (isForwarding === isForwardingDeclared) return undefined;
  return isForwarding
    ? {observed: `${name}: EXTERNAL_CA is ${kubernetesRa}, so a Kubernetes signer signs`, fix: remove('EXTERNAL_CA')}
    : {
        observed: `${name}: EXTERNAL_CA is not ${kubernetesRa}, so it signs with its own CA`,
        fix: reinstallFix(subject),
      };
}

/** install.yaml of a remote cluster is not rendered: there, the object with the setting can only be shown. */
function installFix(object: string, subject: ClusterSubject): Suggestion {
  const {cluster, mesh} = subject;
  if (cluster.role === 'primary') return reinstallFix(subject);
  const name = object.replace('ConfigMap ', '');
  return inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} get configmap ${name} -o yaml`);
}
