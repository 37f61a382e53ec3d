import {describe, expect, it} from 'vitest';
import {addressProblem, isSameAddress, resolveApiServer} from '../../../src/domain/discovery/api-server.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const problemOf = (url: string, proxyUrl?: string): string | undefined =>
  addressProblem('c2', {address: {url, ...(proxyUrl !== undefined && {proxyUrl})}, source: 'kubeconfig'})?.code;

describe('the address of an API server', () => {
  const kubeconfig = {url: 'https://k.example:6443', caData: base64('k'), tlsServerName: 'k'};

  it('is that of mesh.yaml, with the CA of the cluster where none is declared', () => {
    const apiServer = {url: 'https://lb.example'};
    expect(resolveApiServer({apiServer}, {...kubeconfig, insecure: true}, 'root')).toEqual({
      address: {url: 'https://lb.example', caData: base64('root')},
      source: 'mesh.yaml',
    });
    const complete = {url: 'https://lb.example', caData: 'Yw==', tlsServerName: 'a', proxyUrl: 'http://p'};
    expect(resolveApiServer({apiServer: complete}, kubeconfig, 'root')?.address).toEqual(complete);
  });

  it('is otherwise that of the kubeconfig, with its CA or that of the cluster', () => {
    expect(resolveApiServer({}, kubeconfig, 'root')).toEqual({address: kubeconfig, source: 'kubeconfig'});
    expect(resolveApiServer({}, {url: 'https://k'}, 'root')?.address.caData).toBe(base64('root'));
    expect(resolveApiServer({}, {url: 'https://k'}, undefined)?.address).toEqual({url: 'https://k'});
    expect(resolveApiServer({}, undefined, 'root')).toBeUndefined();
  });

  it.each([
    ...['https://127.0.0.1:6443', 'https://127.8.9.10', 'https://0x7f.1', 'https://2130706433', 'https://[::1]:6443'],
    ...['https://[::ffff:127.0.0.1]', 'https://localhost', 'https://LOCALHOST.', 'https://api.localhost'],
    ...['https://0.0.0.0:6443', 'https://[::]', 'https://169.254.169.254', 'https://[fe80::1]'],
    ...['https://kind-control-plane:6443', 'https://mac.local', 'https://host.docker.internal:6443'],
    ...['https://kubernetes.docker.internal:6443', 'https://kubernetes.default.svc'],
    ...['https://kubernetes.default.svc.cluster.local', 'https://'],
  ])('%s is one that pods of other clusters cannot use', (url) => {
    expect(problemOf(url)).toBe('LOCAL_ADDRESS');
  });

  it.each([
    ...['https://cluster1-control-plane:6443', 'https://api.cluster2.local', 'https://kubernetes.default.svc'],
    ...['https://host.docker.internal:6443', 'https://10.0.0.1'],
  ])('%s in mesh.yaml can be used: the user states that pods resolve it', (url) => {
    expect(addressProblem('c2', {address: {url}, source: 'mesh.yaml'})).toBeUndefined();
    expect(addressProblem('c2', {address: {url: 'https://a.example', proxyUrl: url}, source: 'mesh.yaml'})).toBe(
      undefined,
    );
  });

  it.each([
    ...['https://127.0.0.1:6443', 'https://[::1]', 'https://localhost:6443', 'https://api.localhost'],
    ...['https://0.0.0.0', 'https://169.254.169.254', 'https://[fe80::1]'],
  ])('%s cannot be used wherever it is declared', (url) => {
    expect(addressProblem('c2', {address: {url}, source: 'mesh.yaml'})?.code).toBe('LOCAL_ADDRESS');
  });

  it.each([
    ...['https://192.168.1.10:6443', 'https://10.0.0.1', 'https://172.18.0.2:6443', 'https://[fd00::1]:6443'],
    ...['https://api.example.com', 'https://ABC.gr7.eu-west-1.eks.amazonaws.com', 'https://x.local.example'],
    ...['https://localhost.example', 'https://169.253.1.1', 'https://128.0.0.1/k8s/clusters/c-1'],
  ])('%s can be used', (url) => {
    expect(problemOf(url)).toBeUndefined();
  });

  it('is not usable through a proxy that only this machine reaches', () => {
    expect(problemOf('https://api.example.com', 'socks5://127.0.0.1:1080')).toBe('LOCAL_ADDRESS');
    expect(problemOf('https://api.example.com', 'http://proxy.example:3128')).toBeUndefined();
  });

  it('is not usable if its certificate is not verified', () => {
    const api = {address: {url: 'https://api.example.com'}, source: 'kubeconfig', insecure: true} as const;
    expect(addressProblem('c2', api)?.code).toBe('INSECURE_API_SERVER');
  });
});

describe('two addresses', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n';

  it('are the same but for line breaks in the CA and a slash at the end', () => {
    const one = {url: 'https://a/', caData: base64(pem)};
    expect(isSameAddress(one, {url: 'https://a', caData: base64(pem.replaceAll('\n', '\r\n'))})).toBe(true);
    expect(isSameAddress(one, {url: 'https://a', caData: base64(pem.replace('BBBB', 'CCCC'))})).toBe(false);
    expect(isSameAddress(one, {...one, tlsServerName: 'x'})).toBe(false);
    expect(isSameAddress(one, {...one, proxyUrl: 'http://p'})).toBe(false);
  });
});
