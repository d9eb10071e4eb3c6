import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeEngine, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

const missing = spawnSync('script', ['--version']).status !== 0;
const bin = join(import.meta.dirname, '../../bin/berth.js');
const id = randomBytes(8).toString('hex');

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

function write(names: readonly string[]): void {
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
  const lines = names.map(
    (name) => `  ${name}: {engine: {kind: command, command: ${command}, stopGrace: 2s}}`,
  );
  place.write(`version: 1\nfleet: lab\nid: "${id}"\ndeployments:\n${lines.join('\n')}\n`);
}

/** Runs apply at a terminal of its own and answers its question, if it asks. */
async function atTerminal(answer: string, ...args: string[]): Promise<{ code: number | null; text: string }> {
  const words = [process.execPath, bin, 'apply', ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', words, '/dev/null'], { cwd: place.folder, env: place.env });
  let text = '';
  let answered = false;
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (answered || !text.includes('[y/N]')) return;
    answered = true;
    child.stdin.write(`${answer}\n`);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, text };
}

describe.skipIf(missing)(
  `apply at a terminal${missing ? ' (skipped: no script on this machine)' : ''}`,
  () => {
    test('asks before it stops or replaces, does nothing without a yes, and asks nothing when nothing is interrupted', async () => {
      write(['a', 'b']);
      const started = await atTerminal('n');
      expect([started.code, started.text.includes('[y/N]')]).toEqual([0, false]);
      write(['a']);
      const refused = await atTerminal('n');
      expect(refused.text).toContain('This will stop b. Go on?');
      expect([refused.code, refused.text.includes('Nothing was done.')]).toEqual([130, true]);
      const agreed = await atTerminal('y');
      expect([agreed.code, agreed.text.includes('stop b')]).toEqual([0, true]);
      const again = await atTerminal('n', '--yes', '--restart', 'a');
      expect([again.code, again.text.includes('[y/N]')]).toEqual([0, false]);
    });
  },
);
