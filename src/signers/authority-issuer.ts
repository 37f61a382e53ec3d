/** An issuer made of a CA whose key can sign here: root-key.pem, a program, a cluster's Secret. */
import {randomBytes} from 'node:crypto';
import {serialBytes} from '../domain/x509/certificate.js';
import {cannotIssue, type Issuer} from '../domain/ca/issuer.js';
import {clusterCaTemplate} from '../domain/x509/profile.js';
import {type CertificateAuthority, issueCertificate} from '../domain/x509/signer.js';

/** Issues under `authority`; `what` names its certificate in messages. */
export function createAuthorityIssuer(authority: CertificateAuthority, what: string): Issuer {
  const {signer, certificate, above} = authority;
  return {
    async issue({cluster, publicKey, validityDays, now}) {
      const cannot = cannotIssue([certificate, ...above], now, what);
      if (cannot) throw cannot;
      const template = clusterCaTemplate({
        publicKey,
        cluster,
        validityDays,
        now,
        serial: randomBytes(serialBytes),
        issuer: certificate,
        above,
      });
      const issued = await issueCertificate(template, signer, `the new CA of ${cluster}`);
      return {certificate: issued, above: [certificate, ...above], changes: []};
    },
  };
}
