import {describe, expect, it} from 'vitest';
import {
  refuseOtherIstioctl,
  refuseVersionChange,
  type VersionOverrides,
} from '../../../src/domain/install/version-change.js';
import {reportedVersion} from '../../../src/domain/istio/running-version.js';
import {hintTexts} from '../../helpers/suggestions.js';

const none: VersionOverrides = {upgrade: false, forceVersion: false};
const upgrade: VersionOverrides = {upgrade: true, forceVersion: false};
const force: VersionOverrides = {upgrade: false, forceVersion: true};

describe('istioctl that would change the running version', () => {
  it.each([
    ['1.30.3', '1.30.3', none, false, ''],
    ['1.30.3-distroless', '1.30.3', none, false, ''],
    ['unknown', 'unknown', none, false, ''],
    ['1.30.3', '1.30.4', none, true, '--upgrade'],
    ['1.30.3', '1.30.4', upgrade, false, ''],
    ['1.30.3', '1.31.0', none, true, '--upgrade'],
    ['1.30.3', '1.31.0', upgrade, false, ''],
    ['1.31.0-rc.0', '1.31.0', upgrade, false, ''],
    ['1.29.6', '1.31.0', upgrade, true, '--force-version'],
    ['1.29.6', '1.31.0', force, false, ''],
    ['1.31.0', '2.0.0', upgrade, true, '--force-version'],
    ['1.31.0', '1.30.9', upgrade, true, '--force-version'],
    ['1.31.1', '1.31.0', upgrade, true, '--force-version'],
    ['1.31.0', '1.31.0-rc.0', upgrade, true, '--force-version'],
    ['1.31.1', '1.31.0', force, false, ''],
    ['unknown', '1.31.0', none, true, '--upgrade'],
    ['unknown', '1.31.0', upgrade, false, ''],
    ['1.31.0', 'unknown', none, true, '--upgrade'],
    ['latest', 'unknown', none, true, '--upgrade'],
  ])('%s runs, istioctl %s, %j: refused %s', (running, istioctl, overrides, refused, flag) => {
    const error = refuseVersionChange(reportedVersion(running), reportedVersion(istioctl), overrides);
    expect(error?.code).toBe(refused ? 'VERSION_CHANGE' : undefined);
    expect(hintTexts(error?.hints ?? []).join(' ')).toContain(flag);
  });

  it.each([
    [undefined, '1.31.0', false],
    ['1.31', '1.31.4', false],
    ['1.31.4', '1.31.4-distroless', false],
    ['1.31.3', '1.31.4', true],
    ['1.30', '1.31.0', true],
    ['1.30', 'unknown', true],
  ])('mesh.yaml declares %s, istioctl is %s: refused %s', (declared, istioctl, refused) => {
    expect(refuseOtherIstioctl(declared, reportedVersion(istioctl))?.code).toBe(refused ? 'VERSION_CHANGE' : undefined);
  });
});
