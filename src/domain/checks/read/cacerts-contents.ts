/** What lies in Secret cacerts, for those to whom more matters than the files that istiod reads. */
import type {CacertsContents} from '../../istio/hazards.js';
import type {CaFiles} from '../../pki/ca-files.js';
import {crlProblem} from '../../pki/crl.js';
import type {CacertsSecret} from '../../trust/cacerts.js';

/** `own`: the CA files of the work directory. */
export function cacertsContents({data, files, inspection}: CacertsSecret, own: CaFiles): CacertsContents {
  const {certificate, chain = []} = inspection;
  const {layout = 'pem', crl = ''} = files;
  return {
    keys: Object.keys(data),
    layout,
    chain: chain.map(({subject, selfSigned}) => ({subject: subject.text, selfSigned})),
    ...(crl !== '' && {crl: {problem: crlProblem(crl, chain), isPushed: (own.crl ?? '') !== ''}}),
    ...(certificate && {caEnd: certificate.notAfter}),
  };
}
