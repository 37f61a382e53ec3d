/**
 * The Kubernetes API as the harness needs it: JSON requests with a client certificate over one kept-alive connection pool.
 * It is no part of what is tested; the program under test uses kubectl.
 */
import {Agent, request} from 'node:https';
import {readFileSync} from 'node:fs';
import {parse} from 'yaml';
import {HarnessError} from './processes.js';

/** An answer of the API server that is not a success. */
export class ApiError extends HarnessError {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** An object of the API, as far as the harness looks at it. */
export interface Resource {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** Secrets (base64) and ConfigMaps (text). */
export interface DataResource extends Resource {
  readonly data?: Readonly<Record<string, string>>;
}

interface Kubeconfig {
  readonly clusters: readonly {readonly name: string; readonly cluster: Record<string, string>}[];
  readonly users: readonly {readonly name: string; readonly user: Record<string, string>}[];
}

/** One cluster's API, with administrator's rights. */
export class Api {
  readonly #agent: Agent;

  /** `server` as in the kubeconfig: https://127.0.0.1:PORT. `ca` is the PEM of the API server's CA. */
  constructor(
    readonly server: string,
    readonly ca: string,
    certificate: string,
    key: string,
  ) {
    this.#agent = new Agent({keepAlive: true, ca, cert: certificate, key, maxSockets: 4});
  }

  /** The API that a kubeconfig with one cluster and files for certificates names (what kwokctl writes). */
  static fromKubeconfig(path: string): Api {
    const config = parse(readFileSync(path, 'utf8')) as Kubeconfig;
    const cluster = config.clusters[0]?.cluster ?? {};
    const user = config.users[0]?.user ?? {};
    const pem = (file: string | undefined): string => readFileSync(file ?? '', 'utf8');
    return new Api(
      cluster.server ?? '',
      pem(cluster['certificate-authority']),
      pem(user['client-certificate']),
      pem(user['client-key']),
    );
  }

  /** GET; undefined when it does not exist. */
  async find<T extends Resource>(path: string): Promise<T | undefined> {
    try {
      return (await this.send('GET', path)) as T;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** GET; throws {@link ApiError} when it does not exist. */
  async get<T extends Resource>(path: string): Promise<T> {
    return (await this.send('GET', path)) as T;
  }

  /** All items of a collection. */
  async list<T extends Resource>(path: string): Promise<readonly T[]> {
    return ((await this.send('GET', path)) as {items: T[]}).items;
  }

  create(path: string, body: object): Promise<unknown> {
    return this.send('POST', path, body);
  }

  /** Server-side apply, by force: creates or changes. */
  apply(path: string, body: object): Promise<unknown> {
    const query = '?fieldManager=kubectl-mesh-harness&force=true';
    return this.send('PATCH', path + query, body, 'application/apply-patch+yaml');
  }

  /** Merge patch. */
  patch(path: string, body: object): Promise<unknown> {
    return this.send('PATCH', path, body, 'application/merge-patch+json');
  }

  /** DELETE at once; nothing happens when it does not exist. */
  async remove(path: string): Promise<void> {
    try {
      await this.send('DELETE', `${path}?gracePeriodSeconds=0`);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  /** A token of a service account, from the API server itself. */
  async token(namespace: string, serviceAccount: string, audiences?: readonly string[]): Promise<string> {
    const answer = (await this.create(`/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {expirationSeconds: 12 * 3600, ...(audiences && {audiences})},
    })) as {status: {token: string}};
    return answer.status.token;
  }

  /** Ends idle connections, so that the process can end. */
  close(): void {
    this.#agent.destroy();
  }

  private send(method: string, path: string, body?: object, contentType = 'application/json'): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const sent = request(
        this.server + path,
        {method, agent: this.#agent, timeout: 10_000, headers: body ? {'content-type': contentType} : {}},
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
          response.on('error', reject);
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            if (status < 300) resolve(JSON.parse(text) as unknown);
            else reject(new ApiError(status, `${method} ${path}: ${String(status)} ${text.slice(0, 500)}`));
          });
        },
      );
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new HarnessError(`${method} ${path}: no answer in 10 s`)));
      sent.end(body && JSON.stringify(body));
    });
  }
}
