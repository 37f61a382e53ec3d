/** What the text of a failed request shows about its cause. */
import type {TrafficFailure} from '../facts/facts.js';

/** The causes that a text can show. */
export type FailureKind =
  'denied' | 'no endpoint' | 'plain text' | 'certificate' | 'connection' | 'timeout' | 'wrong pod' | 'other';

/** Texts of Envoy, and of Go's HTTP client in agnhost; the first that matches decides. */
const kinds: readonly (readonly [RegExp, FailureKind])[] = [
  // Envoy source/extensions/filters/http/rbac/rbac_filter.cc
  [/RBAC: access denied/, 'denied'],
  // Envoy source/common/router/router.cc
  [/no healthy upstream/, 'no endpoint'],
  // BoringSSL ssl/tls_record.cc: what answered does not speak TLS
  [/WRONG_VERSION_NUMBER/, 'plain text'],
  // Envoy source/common/tls/ssl_socket.cc: the transport failure reason
  [/TLS_error|CERTIFICATE_VERIFY_FAILED/, 'certificate'],
  [/upstream connect error|upstream request failure|connection (?:reset|refused)|EOF/, 'connection'],
  // Envoy source/common/router/router.cc; Go net/http
  [/upstream request timeout|deadline exceeded|Client\.Timeout/, 'timeout'],
];

/** Returns the cause that most failed requests show; of equally many, the one that the first shows. */
export function failureKind(failures: readonly TrafficFailure[]): FailureKind {
  const counts = new Map<FailureKind, number>();
  for (const failure of failures) {
    const kind = kindOf(failure);
    counts.set(kind, (counts.get(kind) ?? 0) + failure.count);
  }
  const [most = ['other' as const]] = [...counts].toSorted(([, one], [, other]) => other - one);
  return most[0];
}

/** A body that is a name and not a sentence is the answer of a pod that is not expected. */
function kindOf({text, isResponse}: TrafficFailure): FailureKind {
  const [, kind] = kinds.find(([pattern]) => pattern.test(text)) ?? [];
  return kind ?? (isResponse && /^[a-z0-9][-a-z0-9.]*$/.test(text) ? 'wrong pod' : 'other');
}
