/** What `verify --traffic` creates. */
import {describe, expect, it} from 'vitest';
import {echoHost, echoService, trafficNamespace} from '../../../src/domain/traffic/names.js';
import {namespaceLabels, type ServingPlane, unreadBy} from '../../../src/domain/traffic/namespace-labels.js';
import {
  clientPod,
  trafficNamespaceObject,
  trafficObjects,
  type TrafficSpec,
} from '../../../src/domain/traffic/objects.js';

const spec: TrafficSpec = {
  cluster: 'c1',
  targets: ['c1', 'c2'],
  clusters: ['c1', 'c2', 'c3'],
  image: 'registry.example.com/agnhost:1',
  namespaceLabels: {'istio-injection': 'enabled'},
  isAmbient: false,
  assignsUsers: false,
  hold: {run: 'abc', owner: 'work', until: new Date('2026-11-30T12:00:00Z')},
};

interface Template {
  readonly metadata: {readonly labels: Readonly<Record<string, string>>};
  readonly spec: {readonly containers: readonly {readonly securityContext: object; readonly image: string}[]};
}
const ofKind = (kind: string, of = spec) => trafficObjects(of).filter((object) => object.kind === kind);
const templates = ofKind('Deployment').map((one) => (one as unknown as {spec: {template: Template}}).spec.template);

describe('the objects', () => {
  it('are all in the namespace and labeled, the rules before the pods', () => {
    const objects = trafficObjects(spec);
    expect(objects.map(({kind}) => kind)).toEqual([
      'ServiceAccount',
      'PeerAuthentication',
      'AuthorizationPolicy',
      'Service',
      'Service',
      'Deployment',
      'Deployment',
    ]);
    for (const {metadata} of [...objects, clientPod(spec)]) expect(metadata.namespace).toBe(trafficNamespace);
    for (const {metadata} of [...objects, trafficNamespaceObject(spec)]) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'kubectl-mesh',
        'kubectl-mesh/traffic': 'true',
      });
    }
  });

  it('require mutual TLS and admit only clients of the namespace', () => {
    expect(ofKind('PeerAuthentication')).toMatchObject([{spec: {mtls: {mode: 'STRICT'}}}]);
    expect(ofKind('AuthorizationPolicy')).toMatchObject([
      {spec: {action: 'ALLOW', rules: [{from: [{source: {namespaces: [trafficNamespace]}}]}]}},
    ]);
  });

  it('have a Service for each target that only the pods of that cluster belong to', () => {
    const selectors = ofKind('Service').map((one) => (one as unknown as {spec: {selector: object}}).spec.selector);
    expect(selectors).toEqual([
      {app: 'echo', 'kubectl-mesh/traffic-target': 'c1', 'kubectl-mesh/run': 'abc'},
      {app: 'echo', 'kubectl-mesh/traffic-target': 'c2', 'kubectl-mesh/run': 'abc'},
    ]);
    expect(templates.map(({metadata}) => metadata.labels['kubectl-mesh/traffic-target'])).toEqual(['c1', 'c1']);
  });

  it('meet the restricted Pod Security Standard and mount no token', () => {
    for (const {spec: pod} of templates) {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: {seccompProfile: {type: 'RuntimeDefault'}},
      });
      for (const {securityContext, image} of pod.containers) {
        expect(image).toBe(spec.image);
        expect(securityContext).toMatchObject({
          runAsNonRoot: true,
          allowPrivilegeEscalation: false,
          capabilities: {drop: ['ALL']},
        });
      }
    }
  });

  it('leave the user to the API server where that assigns it', () => {
    const [first] = ofKind('Deployment', {...spec, assignsUsers: true});
    expect(JSON.stringify(first)).not.toContain('runAsUser');
    expect(JSON.stringify(templates[0])).toContain('"runAsUser":65532');
  });

  it('show which run holds the namespace, on the first object', () => {
    const hold = {'kubectl-mesh/run': 'abc', 'kubectl-mesh/work-directory': 'work'};
    expect(trafficNamespaceObject(spec).metadata.annotations).toMatchObject(hold);
    expect(trafficObjects(spec)[0]?.metadata.annotations).toMatchObject(hold);
    expect(trafficNamespaceObject({namespaceLabels: {}}).metadata.annotations).toBeUndefined();
  });

  it('are validated as the pod that the client becomes', () => {
    expect(clientPod(spec).spec).toEqual(templates[1]?.spec);
  });

  it('are global Services in ambient mode', () => {
    expect(ofKind('Service', {...spec, isAmbient: true})[0]?.metadata.labels).toHaveProperty('istio.io/global', 'true');
    expect(ofKind('Service')[0]?.metadata.labels).not.toHaveProperty('istio.io/global');
  });
});

describe('the name of a Service', () => {
  it('has at most 63 characters, and is different for each cluster', () => {
    const long = 'x'.repeat(63);
    const clusters = ['1', long, 'y'.repeat(63), 'z'.repeat(58)];
    const names = clusters.map((name) => echoService(name, clusters));
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
    expect(echoHost('1', clusters)).toBe('echo-1.kubectl-mesh-traffic');
  });
});

describe('the labels of the namespace', () => {
  const istio = {namespace: 'istio-system', profile: 'default'};
  const plane = (revision: string, discoverySelectors: object[] = []) =>
    ({revision, discoverySelectors}) as unknown as ServingPlane;

  it('are those of the revision that runs, a declared one first', () => {
    expect(namespaceLabels({istio}, [])).toEqual({'istio-injection': 'enabled'});
    expect(namespaceLabels({istio}, [plane('default'), plane('1-30')])).toEqual({'istio-injection': 'enabled'});
    expect(namespaceLabels({istio}, [plane('1-30')])).toEqual({'istio.io/rev': '1-30'});
    const revisions = ['1-31', '1-30'];
    expect(namespaceLabels({istio: {...istio, revisions}}, [plane('1-30')])).toEqual({'istio.io/rev': '1-30'});
    expect(namespaceLabels({istio: {...istio, revisions}}, [])).toEqual({'istio.io/rev': '1-31'});
  });

  it('use ztunnel in ambient mode', () => {
    expect(namespaceLabels({istio: {...istio, profile: 'ambient'}}, [])).toEqual({
      'istio.io/dataplane-mode': 'ambient',
    });
  });

  it('match a discovery selector', () => {
    const own = {matchLabels: {'istio-injection': 'enabled'}};
    const other = {matchLabels: {mesh: 'yes'}};
    const complex = {matchExpressions: [{key: 'team', operator: 'Exists'}]};
    expect(namespaceLabels({istio}, [plane('default', [other, own])])).toEqual({'istio-injection': 'enabled'});
    expect(namespaceLabels({istio}, [plane('default', [complex, other])])).toEqual({
      'istio-injection': 'enabled',
      mesh: 'yes',
    });
    const expressions = [plane('default', [complex])];
    expect(namespaceLabels({istio}, expressions)).toEqual({'istio-injection': 'enabled'});
    expect(unreadBy({'istio-injection': 'enabled'}, expressions)).toBe(expressions[0]);
    expect(unreadBy({team: 'a'}, expressions)).toBeUndefined();
  });

  it('match the selectors of every cluster that reads it', () => {
    const others = [plane('default', [{matchLabels: {mesh: 'yes'}}]), plane('default', [{matchLabels: {zone: 'a'}}])];
    const labels = namespaceLabels({istio}, [], [plane('default'), ...others]);
    expect(labels).toEqual({'istio-injection': 'enabled', mesh: 'yes', zone: 'a'});
    expect(unreadBy(labels, others)).toBeUndefined();
  });
});
