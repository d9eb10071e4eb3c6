import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace, until } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOf, startHub } from '../../support/hub-server.ts';
import type { Content, HubServer } from '../../support/hub-server.ts';

vi.setConfig({ testTimeout: 600_000 });

const mi = 1024 * 1024;
let place: Place;
let hub: HubServer;

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  place.env['HF_ENDPOINT'] = hub.url;
});

afterEach(async () => {
  await place.close();
  await hub.stop();
});

/** Nothing but zeros, which cost nobody anything to make, with a mark at each 64 MiB that tells where it belongs. */
function mostlyEmpty(size: number): Content {
  return {
    size,
    read: (from, to) => {
      const bytes = Buffer.alloc(Math.max(0, to - from + 1));
      const mark = Buffer.alloc(8);
      for (let at = Math.floor(from / (64 * mi)) * 64 * mi; at <= to; at += 64 * mi) {
        mark.writeDoubleLE(at + 1);
        for (const [i, byte] of mark.entries()) if (at + i >= from) bytes[at + i - from] = byte;
      }
      return bytes;
    },
  };
}

function sumOfLarge({ size, read }: Content): string {
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += 8 * mi) hash.update(read(at, Math.min(size, at + 8 * mi) - 1));
  return hash.digest('hex');
}

const disk = statfsSync(tmpdir());
const noRoom = disk.bavail * disk.bsize > 16e9 ? '' : ' (skipped: less than 16 GB are free)';

test(`7 GB arrive over a server that cuts and answers busy, with a kill -9 in between${noRoom}`, async (context) => {
  if (noRoom !== '') context.skip();
  const content = mostlyEmpty(7_000_000_123);
  hub.files.set('large.bin', content);
  hub.sums.set('large.bin', sumOfLarge(content));
  let requests = 0;
  hub.fault = () => {
    requests += 1;
    if (requests % 37 === 0) return { do: 'cut', after: 5 * mi };
    return requests % 53 === 0 ? { do: 'status', status: 503 } : null;
  };
  const first = place.spawn('pull', 'hf://lab/tiny/large.bin', '--json');
  await until(() => requests > 150, 'a third of the parts', 300_000);
  first.child.kill('SIGKILL');
  await first.exited;
  const before = requests;
  const ran = await place.berth('pull', 'hf://lab/tiny/large.bin', '--json');
  expect(ran.code, ran.stderr).toBe(0);
  const [pulled] = ran.json() as { path: string; files: { sha256: string }[] }[];
  expect(statSync(pulled?.path ?? '').size).toBe(content.size);
  expect(pulled?.files[0]?.sha256).toBe(hub.sums.get('large.bin'));
  // 418 parts in all: what had come was not asked for again.
  expect(requests - before).toBeLessThan(418 - 130 + 40);
});

const notRoot = process.getuid?.() === 0 ? '' : ' (skipped: only root may mount a small disk)';

test(`a disk that is full is told, keeps what came, and nothing on it is believed${notRoot}`, async (context) => {
  if (notRoot !== '') context.skip();
  const store = join(place.folder, 'state/data/models');
  mkdirSync(store, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', store]);
  try {
    const content = contentOf(40 * mi);
    hub.files.set('m.bin', content);
    const known = await place.berth('pull', 'hf://lab/tiny/m.bin');
    expect(known.code).toBe(1);
    expect(known.stderr).toContain('40.0 MiB are needed, 24.0 MiB are free');
    // The room that there was is taken by somebody else while it comes.
    execFileSync('mount', ['-o', 'remount,size=64m', store]);
    const source = `${hub.url}/lab/tiny/resolve/main/m.bin`;
    const other = join(store, 'other');
    let pieces = 0;
    hub.pace = async () => {
      pieces += 1;
      if (pieces === 10) writeFileSync(other, Buffer.alloc(50 * mi));
    };
    const full = await place.berth('pull', source);
    expect(full.code).toBe(1);
    expect(full.stderr).toContain('There is no room in');
    expect(readdirSync(store).toSorted()).toEqual(['other', 'partial']);
    rmSync(other);
    const ran = await place.berth('pull', source, '--json');
    expect(ran.code, ran.stderr).toBe(0);
    const [pulled] = ran.json() as { path: string }[];
    expect(readFileSync(pulled?.path ?? '').equals(content.read(0, content.size - 1))).toBe(true);
  } finally {
    execFileSync('umount', [store]);
  }
});
