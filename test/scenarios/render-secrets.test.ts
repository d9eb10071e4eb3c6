import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.write(`version: 1
fleet: lab
id: k3x9
models: {h: {source: "hf://o/n", secret: "\${env:HUB_CANARY}"}}
deployments: {v: {model: h, engine: {kind: vllm, binary: /opt/vllm}}}
`);
});

afterEach(() => place.close());

/** The printed command, up to what puts the secret into its place. */
async function making(format: string): Promise<string> {
  const { code, stderr } = await place.berth('render', '--format', format);
  expect(code, stderr).toBe(0);
  return /(printf .*?) \| (?:sudo|kubectl)/.exec(stderr)?.[1] ?? '';
}

test.each(['systemd', 'kubernetes'])(
  'the command that makes a secret of %s stops in a shell that lacks the variable',
  async (format) => {
    const { HUB_CANARY: _, ...env } = process.env;
    place.env['HUB_CANARY'] = 'hf_canary';
    const command = await making(format);
    expect(command).not.toContain('canary');
    const lacking = spawnSync('sh', ['-c', command], { env, encoding: 'utf8' });
    expect([lacking.status === 0, lacking.stdout]).toEqual([false, '']);
    const made = execFileSync('sh', ['-c', command], {
      env: { ...env, HUB_CANARY: 'hf_canary' },
      encoding: 'utf8',
    });
    expect(made).toContain('hf_canary');
  },
);

test.each(['systemd', 'kubernetes'])(
  'a secret of .env is read from there by the command for %s, whatever the shell has',
  async (format) => {
    writeFileSync(join(place.folder, '.env'), `# of the hub\nexport HUB_CANARY='hf_of "file"'\n`);
    const command = await making(format);
    const { HUB_CANARY: _, ...env } = process.env;
    expect(execFileSync('sh', ['-c', command], { env, encoding: 'utf8' })).toContain('hf_of "file"');
  },
);
