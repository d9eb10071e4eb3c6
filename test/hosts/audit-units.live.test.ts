import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Observation } from '../../src/domain/audit/observation.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

const lacks = missingForSystemd();
if (lacks !== '') console.info(`audit of units: not run, ${lacks} is missing`);

let box: SystemdBox;

/** What says that it is a llama-server is its command line; it serves nothing. */
function llama(port: number): string[] {
  return [join(box.folder, 'llama-server'), '-m', join(box.folder, 'a.gguf'), '--port', String(port)];
}

function must(...argv: string[]): void {
  const ran = box.enter(...argv);
  if (ran.code !== 0) throw new Error(`${argv.join(' ')}: ${ran.stderr}`);
}

describe.skipIf(lacks !== '')('the units of a machine with systemd', () => {
  beforeAll(() => {
    box = startSystemdBox();
    const program = join(box.folder, 'llama-server');
    writeFileSync(program, '#!/bin/sh\nexec sleep 1000\n');
    chmodSync(program, 0o755);
  }, 60_000);

  afterAll(() => box.stop(), 60_000);

  test('one with a second name is told once, and one that was started without a file is told too', () => {
    const file = join(box.folder, 'kimi.service');
    writeFileSync(
      file,
      `[Service]\nExecStart=${llama(8081).join(' ')}\n[Install]\nWantedBy=multi-user.target\nAlias=ai.service\n`,
    );
    must('cp', file, '/etc/systemd/system/');
    must('systemctl', 'daemon-reload');
    must('systemctl', 'enable', '--now', 'kimi.service');
    must('test', '-L', '/etc/systemd/system/ai.service');
    must('systemd-run', '--unit=night', ...llama(8082));
    const ran = box.berth(['audit', '--json', '--timeout', '20s', '--record', 'seen.json']);
    expect([0, 8], ran.stderr).toContain(ran.code);
    const seen = Observation.parse(JSON.parse(readFileSync(join(box.folder, 'seen.json'), 'utf8')));
    const units = seen.hosts[0]?.units.map(({ name, path, active, enabled, starts }) => [
      name,
      path,
      active,
      enabled,
      starts.port,
    ]);
    expect(units?.toSorted()).toEqual([
      ['kimi.service', '/etc/systemd/system/kimi.service', 'active', true, 8081],
      ['night.service', '/run/systemd/transient/night.service', 'active', null, 8082],
    ]);
  }, 120_000);
});
