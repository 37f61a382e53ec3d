/** Healthy meshes of many kinds: every error, every unknown and every warning that is not true is a false alarm. */
import {beforeAll, expect, it} from 'vitest';
import {controlPlanes} from '../e2e/harness/control-planes.js';
import {startSettingOf} from '../e2e/harness/mesh.js';
import {subjectOf} from './harness/compare.js';
import {isWanted} from './harness/only.js';
import {record} from './harness/results.js';
import {recordVersions} from './harness/versions.js';
import {meshes} from './healthy/meshes.js';

beforeAll(async () => {
  await controlPlanes();
});

for (const {id, title, clusters, planes = controlPlanes, build, trueWarnings} of meshes) {
  it.skipIf(!isWanted(id))(`${id}: ${title}`, async () => {
    const began = Date.now();
    const setting = await startSettingOf(await planes(), ...clusters);
    try {
      await recordVersions(setting);
      await build(setting);
      // What needs a moment after an installation, as istiod's lease does, is no false alarm.
      await setting.cli.verify('--access', '--wait', '--timeout', '150s');
      const {checks} = await setting.cli.verify('--access');
      const alarms = checks.filter(
        (row) =>
          row.result === 'error' ||
          row.result === 'unknown' ||
          (row.result === 'warning' && trueWarnings[row.id] === undefined),
      );
      const problems = alarms.map(
        (row) =>
          `${subjectOf(row)} ${row.result}: ${row.reason ?? row.observed ?? ''} (expected: ${row.expected ?? ''})`,
      );
      const warned = new Set(checks.filter(({result}) => result === 'warning').map((row) => row.id));
      problems.push(
        ...Object.keys(trueWarnings)
          .filter((warning) => !warned.has(warning))
          .map((warning) => `${warning} does not warn, though this mesh says that it should`),
      );
      const ok = checks.filter(({result}) => result === 'ok').length;
      const seconds = Math.round((Date.now() - began) / 1000);
      const falseAlarms = alarms.map(subjectOf);
      record({kind: 'healthy', id, title, ok, trueWarnings, falseAlarms, problems, seconds});
      expect(problems).toEqual([]);
      expect(ok).toBeGreaterThan(0);
    } finally {
      await setting.sandbox.close();
    }
  });
}
