/**
 * The chains that proxies can build from a workload's certificate besides the one that istiod verifies. Go searches for a
 * valid chain; BoringSSL takes the first issuer that fits, and refuses the chain if that one has expired, for example.
 */
import type {Certificate} from '../x509/certificate.js';
import {type Issued, type ProxyCertificates, type ProxyChain, proxyChains} from '../x509/proxy-chains.js';
import {type ChainFaultId, type ChainPurpose, firstFault} from './chain-faults.js';

/** Faults of a chain that only proxies build; istiod's reasons count because proxies share them. */
const otherChainFaults = [
  'expired',
  'not-yet-valid',
  'no-cert-sign',
  'path-length',
  'no-server-auth',
  'no-client-auth',
  'workload-names',
  'subject-names',
  'ca-names',
  'ca-names-unproven',
  'unknown-signature',
  'critical-extension',
  'proxy-extension',
  'required-policy',
] as const satisfies readonly ChainFaultId[];

/**
 * Why proxies may refuse a certificate although istiod verifies it with `verified`: they do not search for a valid chain, and
 * may build another one. Undefined if every chain that they can build is valid, and for a part of `verified` that they cannot
 * complete: other rules report why.
 */
export function otherChainRefusal(
  certificate: Issued,
  verified: readonly Certificate[],
  certificates: ProxyCertificates,
  purpose: ChainPurpose,
): string | undefined {
  const isPart = ({chain}: ProxyChain): boolean =>
    chain.every(({fingerprint}, index) => verified[index]?.fingerprint === fingerprint);
  const others = proxyChains(certificate, certificates).filter(
    (one) => !isPart(one) || (one.isTrusted && one.chain.length < verified.length),
  );
  return others.map((other) => otherChainFault(certificate, other, purpose)).find((fault) => fault !== undefined);
}

function otherChainFault(
  certificate: Issued,
  {chain, isTrusted}: ProxyChain,
  purpose: ChainPurpose,
): string | undefined {
  const path = chain.map(({subject, serial}) => `"${subject.text}" (serial number ${serial})`).join(' < ');
  const reason = (text: string): string => `proxies can choose the chain ${path}, and then refuse it: ${text}`;
  if (!isTrusted) return reason('it ends at no root');
  const wrong = chain.find((parent, index) => !(chain[index - 1] ?? certificate).signedBy(parent.publicKey));
  if (wrong) return reason(`"${wrong.subject.text}" has another key`);
  const noCa = chain.find(({version, extensions}) => version === 3 && extensions.basicConstraints?.ca !== true);
  if (noCa) return reason(`"${noCa.subject.text}" is not a CA`);
  const fault = firstFault(otherChainFaults, chain, purpose);
  return fault && reason(fault.message);
}
