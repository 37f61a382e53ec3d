import {defineCheck, findingsOr, notApplicable, ok} from '../check.js';
import type {Finding} from '../check.js';
import {describeCertificate} from '../describe.js';
import {renewFix} from '../fixes.js';

const expected = 'a CA of its own for each cluster';

/** Each cluster has its own CA. */
export const usedTwiceCheck = defineCheck({
  id: 'MESH110',
  title: 'No cluster CA is used twice',
  severity: 'error',
  scope: 'mesh',
  vantage: 'work directory',
  needs: ['caFiles'],
  waitable: false,
  implies: [],
  judge: ({caFiles}, {commands}) => {
    const findings = caFiles.flatMap(({cluster, value: {certificate}}, index): readonly Finding[] => {
      const first = caFiles
        .slice(0, index)
        .find(({value}) => certificate && value.certificate?.fingerprint === certificate.fingerprint);
      if (!first || !certificate) return [];
      return [
        {
          observed: `${first.cluster.name} and ${cluster.name} have ${describeCertificate(certificate)}`,
          expected,
          fix: renewFix({cluster, commands}),
        },
      ];
    });
    const made = caFiles.filter(({value}) => value.certificate !== undefined).length;
    return findingsOr(findings, () =>
      made === 0 ? notApplicable('no CA of a cluster is here') : ok(`${String(made)} cluster CAs looked at`, expected),
    );
  },
  explanation: {
    meaning: 'No two clusters sign with the same certificate.',
    breaks:
      "One stolen or renewed key then concerns several clusters, and a certificate no longer says which cluster's istiod signed it.",
    byHand: 'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -fingerprint -sha256   # for each cluster',
    mend: 'Give the second cluster a CA of its own with `certs generate CLUSTER --renew`, then push it.',
    source: 'istio.io: tasks/security/cert-management/plugin-ca-cert (an intermediate CA for each cluster)',
  },
});
