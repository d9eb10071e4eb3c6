import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine } from '../support/berth.ts';
import { otherVersion } from '../support/other-version.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { BoxRan, SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const lacks = missingForSystemd();
if (lacks !== '') console.info(`another version with systemd: not run, ${lacks} is missing`);

describe.skipIf(lacks !== '')('units of systemd that another version of berth wrote', () => {
  let box: SystemdBox;
  let newer: string;

  beforeAll(() => {
    box = startSystemdBox();
    newer = otherVersion(join(box.folder, 'newer'), [
      { file: 'src/engines/command.ts', from: "Duration.prefault('30s')", to: "Duration.prefault('31s')" },
      {
        file: 'src/targets/systemd/render.ts',
        from: "['Type', 'exec'],",
        to: "['Type', 'exec'], ['OOMPolicy', 'stop'],",
      },
    ]);
  });
  afterAll(() => box?.stop());

  function byNewer(...args: string[]): BoxRan {
    const line = 'cd "$0" && BERTH_STATE_DIR="$0/state" BERTH_FROM_SOURCE=1 exec "$@"';
    return box.enter('sh', '-c', line, box.folder, process.execPath, newer, ...args);
  }

  function pidOf(): number | null {
    const status = JSON.parse(box.berth(['status', '--json']).stdout) as FleetStatus;
    return status.deployments[0]?.replicas[0]?.pid ?? null;
  }

  test('are left as they are by a plan, which says what this one would write otherwise', () => {
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
    writeFileSync(
      join(box.folder, 'berth.yaml'),
      `version: 1\nfleet: lab\nid: other2\ndeployments:\n  a: {target: {kind: systemd}, engine: {kind: command, command: ${command}, startTimeout: 60s}}\n`,
    );
    const applied = box.berth(['apply']);
    expect(applied.code, applied.stderr).toBe(0);
    const pid = pidOf();

    const planned = byNewer('plan', '--json');
    expect(planned.code, planned.stderr).toBe(0);
    const { actions, findings } = JSON.parse(planned.stdout) as Plan;
    expect(actions.map((action) => action.do)).toEqual(['keep']);
    const found = findings.find(({ rule }) => rule === 'rendered-otherwise');
    expect(found).toMatchObject({ object: 'a-0', severity: 'info' });
    const evidence = found?.evidence.join('\n') ?? '';
    expect(evidence).toContain('"graceMs":31000');
    expect(evidence).toContain('berth-lab-a.service: + OOMPolicy=stop');
    expect(findings.map(({ rule }) => rule)).not.toContain('drift');
    expect(byNewer('apply', '--yes').code).toBe(0);
    expect(pidOf()).toBe(pid);

    const refreshed = byNewer('apply', '--yes', '--refresh');
    expect(refreshed.code, refreshed.stderr).toBe(0);
    expect(pidOf()).not.toBe(pid);
    const after = JSON.parse(byNewer('plan', '--json').stdout) as Plan;
    expect(after.findings.map(({ rule }) => rule)).not.toContain('rendered-otherwise');
    expect(box.berth(['down']).code).toBe(0);
  });
});
