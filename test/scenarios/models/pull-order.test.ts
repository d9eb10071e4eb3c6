import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test, vi } from 'vitest';
import { partBytes } from '../../../src/io/download/parts.ts';
import { makePlace } from '../../support/berth.ts';
import { contentOf, startHub } from '../../support/hub-server.ts';
import { ended } from './stored.ts';

vi.setConfig({ testTimeout: 300_000 });

const missing = spawnSync('strace', ['-V']).status === 0 ? '' : ' (strace is missing)';

test(`what the book of a file on its way counts is on the disk before it${missing}`, async (context) => {
  if (missing !== '') context.skip();
  const place = makePlace();
  const hub = await startHub();
  hub.files.set('a.bin', contentOf(partBytes + 3_000_000));
  place.env['HF_ENDPOINT'] = hub.url;
  const log = join(place.folder, 'calls');
  try {
    const calls = ['-f', '-y', '-x', '-s', '4', '-o', log, '-e', 'trace=pwrite64,fdatasync'];
    const program = [process.execPath, resolve('bin/berth.js'), 'pull', 'hf://lab/tiny/a.bin'];
    const traced = spawn('strace', [...calls, ...program], { cwd: place.folder, env: place.env });
    await ended(traced);
    expect(traced.exitCode).toBe(0);
    const { early, entries } = countedTooEarly(readFileSync(log, 'utf8'));
    expect(early).toEqual([]);
    expect(entries).toBeGreaterThan(5);
  } finally {
    await place.close();
    await hub.stop();
  }
});

/**
 * Entries of the book (4 bytes each, behind its head) that count more of a part than a sync that began after those bytes were
 * written has brought to the disk.
 */
function countedTooEarly(calls: string): { early: string[]; entries: number } {
  const early: string[] = [];
  const written = new Map<number, number>();
  const begun = new Map<string, { text: string; written: ReadonlyMap<number, number> }>();
  let synced: ReadonlyMap<number, number> = new Map();
  let entries = 0;
  for (const line of calls.split('\n')) {
    const [, thread = '', text = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (!text.startsWith('<...')) {
      begun.set(thread, { text, written: new Map(written) });
      const entry = /^pwrite64\(\d+<[^>]*\.parts>, "([^"]*)", 4, (\d+)/.exec(text);
      if (entry) {
        const count = Buffer.from((entry[1] ?? '').replaceAll(/\\x/g, ''), 'hex').readUInt32LE();
        entries += 1;
        if (count > (synced.get((Number(entry[2]) - 4096) / 4) ?? 0)) early.push(line);
      }
    }
    const call = begun.get(thread);
    const [, result] = /\)\s+= (\d+)$/.exec(text) ?? [];
    if (!call || result === undefined) continue;
    begun.delete(thread);
    if (call.text.startsWith('fdatasync(')) synced = call.written;
    const [, from] = /^pwrite64\(\d+<[^>]*\/partial\/[^>]*[0-9a-f]>, .*, \d+, (\d+)/.exec(call.text) ?? [];
    if (from === undefined) continue;
    const part = Math.floor(Number(from) / partBytes);
    written.set(part, (written.get(part) ?? 0) + Number(result));
  }
  return { early, entries };
}
