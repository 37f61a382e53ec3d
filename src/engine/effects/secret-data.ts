import type {KubeObject} from '../../domain/kube/object.js';
import type {PutObject} from '../action.js';

/** The object as it is sent: a Secret's data goes into it at the last moment. */
export function withSecretData({object, secretData}: Pick<PutObject, 'object' | 'secretData'>): KubeObject {
  if (!secretData) return object;
  const data = Object.entries(secretData).map(([key, value]) => [key, value.reveal().toString('base64')] as const);
  return {...object, data: Object.fromEntries(data)};
}
