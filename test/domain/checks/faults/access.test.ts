import {describe, expect, it} from 'vitest';
import {judgedText} from '../../../helpers/suggestions.js';
import {checks} from '../../../../src/domain/checks/registry.js';
import {evidence} from '../healthy.js';

describe('a context that points to another cluster', () => {
  it.each(['MESH203', 'MESH204'])('is fixed by recording the contexts with the right UIDs: %s', (id) => {
    const {checks: rows} = judgedText(checks, evidence({cluster1: {clusterUid: 'uid-2'}}));
    const fixes = rows.filter((row) => row.id === id && row.result === 'error').map(({fix}) => fix);
    expect(fixes).toEqual([expect.stringMatching(/^kubectl mesh init \$\(.*uid-1\) echo "cluster1=\$context".*\)$/)]);
  });
});
