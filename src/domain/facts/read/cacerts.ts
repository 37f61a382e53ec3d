/** Secret cacerts as checks judge it. */
import {defined} from '../../defined.js';
import {crlProblem} from '../../x509/crl.js';
import type {CacertsSecret} from '../../trust/cacerts.js';
import {compareCa, type OwnCa} from '../../trust/diff.js';
import type {CacertsFacts} from '../facts.js';
import {clusterCaFacts} from './cluster-ca.js';

/** Judges it beside the cluster's CA in the work directory. */
export function cacertsFacts(secret: CacertsSecret, own: OwnCa): CacertsFacts {
  const {data, files, inspection} = secret;
  const {caCerts, chain, roots, verified} = inspection;
  const {layout = 'pem', crl = ''} = files;
  return {
    ...clusterCaFacts(files, inspection),
    // Files that are missing are a finding of their own; there is nothing to compare with then.
    differences: own.inspection.certificate === undefined ? [] : compareCa(own, secret),
    keys: Object.keys(data),
    layout,
    chain: (chain ?? []).map(({subject, selfSigned}) => ({subject: subject.text, selfSigned})),
    ...(crl !== '' && {crl: {problem: crlProblem(crl, chain ?? []), isPushed: (own.files.crl ?? '') !== ''}}),
    inspection: defined({caCerts, chain, roots, verified}),
  };
}
