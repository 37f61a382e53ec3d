import {describe, expect, it} from 'vitest';
import {addressDifferences, addressProblem, resolveApiServer} from '../../../src/domain/discovery/api-server.js';
import {caDifference} from '../../../src/domain/discovery/api-server-ca.js';
import type {ApiServerAddress} from '../../../src/domain/discovery/remote-kubeconfig.js';

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
    expect(resolveApiServer({apiServer: {url: 'https://d'}}, kubeconfig, 'root')?.address.caData).toBe(base64('root'));
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

  it('is not usable with a user name or a password in it', () => {
    expect(problemOf('https://me:secret@api.example.com:6443')).toBe('URL_CREDENTIALS');
    expect(problemOf('https://api.example.com/a@b')).toBeUndefined();
  });

  it('is not usable if its certificate is not verified', () => {
    const api = {address: {url: 'https://api.example.com'}, source: 'kubeconfig', insecure: true} as const;
    expect(addressProblem('c2', api)?.code).toBe('INSECURE_API_SERVER');
  });
});

describe('an address', () => {
  const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  const wanted = {url: 'https://a/', caData: base64(pem('AAAA\nBBBB'))};
  const differences = (change: Partial<ApiServerAddress>) => addressDifferences({...wanted, ...change}, wanted);

  it.each<readonly [string, Partial<ApiServerAddress>]>([
    ['a slash at the end', {url: 'https://a'}],
    ['line breaks in the CA', {caData: base64(pem('AAAA\r\nBBBB'))}],
    ['text around the CA', {caData: base64(`# our CA\n${pem('AAAABBBB')}`)}],
    ['one more certificate', {caData: base64(pem('CCCC') + pem('AAAABBBB'))}],
  ])('is the same but for %s', (_, change) => {
    expect(differences(change)).toEqual([]);
  });

  it.each<readonly [keyof ApiServerAddress, Partial<ApiServerAddress>]>([
    ['url', {url: 'https://b'}],
    ['caData', {caData: base64(pem('CCCC'))}],
    ['caData', {caData: base64('no certificate')}],
    ['caData', {caData: undefined as never}],
    ['tlsServerName', {tlsServerName: 'x'}],
    ['proxyUrl', {proxyUrl: 'http://p'}],
  ])('is another one by its %s', (field, change) => {
    expect(differences(change)).toEqual([field]);
  });

  it('has another CA than one that public roots verify', () => {
    expect(addressDifferences(wanted, {url: 'https://a'})).toEqual(['caData']);
  });

  it('has an incomplete CA if one of several certificates is missing', () => {
    const both = base64(pem('AAAABBBB') + pem('CCCC'));
    expect(caDifference(wanted.caData, both)).toBe('incomplete');
    expect(addressDifferences(wanted, {...wanted, caData: both})).toEqual([]);
  });
});
