import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { missingFor } from '../hosts/container-box.ts';
import { missingForSystemd } from '../hosts/systemd-box.ts';
import { dockerMachine } from './docker-machine.ts';
import type { CrashMachine } from './machine.ts';
import { countHit, momentsFrom } from './moments.ts';
import type { Hits } from './moments.ts';
import { processMachine } from './process-machine.ts';
import { addToRecord, readRecord } from './record.ts';
import { changes, effectsOf, tellStory } from './story.ts';
import type { Story } from './story.ts';
import { systemdMachine } from './systemd-machine.ts';

const seed = Number(process.env['BERTH_CRASH_SEED'] ?? Date.now() % 1_000_000);
const count = Number(process.env['BERTH_CRASH_MOMENTS'] ?? 200);
/** Of each kind of effect, before and after it; a short run need not meet them all. */
const least = count < 200 ? 0 : 5;
/** Draws beyond the count, for kinds that were not met often enough. */
const mostMore = 60;
/** So long at most for each target; what was met by then has to do. */
const minutes = Number(process.env['BERTH_CRASH_MINUTES'] ?? 230);
/** Kinds of effects that are drawn alone, as an expression. */
const only = new RegExp(process.env['BERTH_CRASH_KINDS'] ?? '');
/** A file that gets each moment as a line of JSON; a run goes on from what it has of this target and seed. None by default. */
const record = process.env['BERTH_CRASH_RECORD'];

const lacksOfSystemd = missingForSystemd();

const machines: {
  name: string;
  missing: string | null;
  make: (folder: string) => CrashMachine | Promise<CrashMachine>;
}[] = [
  { name: 'process', missing: null, make: processMachine },
  { name: 'systemd', missing: lacksOfSystemd || null, make: systemdMachine },
  { name: 'docker', missing: missingFor('docker'), make: dockerMachine },
];

describe.each(machines)('target $name', ({ name, missing, make }) => {
  const why = missing === null ? '' : ` (not run: ${missing})`;

  test.skipIf(missing !== null)(
    `apply is killed at ${count} moments, and the next one converges each time${why}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), `berth-crash-${name}-`));
      const machine = await make(folder);
      const hits: Hits = new Map();
      let all: Crashed = { kinds: [], turns: 0 };
      try {
        const story = await tellStory(machine);
        try {
          all = await crashAll(name, story, hits);
        } finally {
          console.info(histogram(name, hits));
        }
        await story.end();
      } finally {
        machine.stop();
        rmSync(folder, { recursive: true, force: true });
      }
      expect(all.turns, 'moments before the time was up').toBeGreaterThanOrEqual(count);
      for (const kind of all.kinds) expect(fewest(kind, hits), kind).toBeGreaterThanOrEqual(least);
    },
    4 * 3_600_000,
  );
});

/** Kinds of effects that there are, and how many moments there were. */
interface Crashed {
  readonly kinds: readonly string[];
  readonly turns: number;
}

/** So many moments, and then more until each kind was met often enough on either side. */
async function crashAll(name: string, story: Story, hits: Hits): Promise<Crashed> {
  const until = performance.now() + minutes * 60_000;
  const all = await effectsOf(story, changes);
  const effects = all.map(([change, found]) => [change, found.filter((kind) => only.test(kind))] as const);
  const kinds = effects.flatMap(([, found]) => found);
  const before = readRecord(record, name, seed);
  for (const { met, moment } of before) if (met !== null) countHit(hits, met, moment.when);
  const draw = momentsFrom(effects, seed + before.length);
  let turn = before.length;
  for (; turn < count || (turn < count + mostMore && isShort(kinds, hits)); turn += 1) {
    if (performance.now() > until) break;
    const { change, moment } = draw(hits);
    const began = performance.now();
    const met = await story.crash(change, moment);
    if (met !== null) countHit(hits, met, moment.when);
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    addToRecord(record, { name, seed, turn, change, moment, met, seconds });
  }
  return { kinds, turns: turn };
}

function isShort(kinds: readonly string[], hits: Hits): boolean {
  return kinds.some((kind) => fewest(kind, hits) < least);
}

/** How often a kind was met, on the side where it was met least. */
function fewest(kind: string, hits: Hits): number {
  const { before, after } = hits.get(kind) ?? { before: 0, after: 0 };
  return Math.min(before, after);
}

function histogram(name: string, hits: Hits): string {
  const rows = [...hits]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([kind, { before, after }]) =>
        `  ${kind.padEnd(32)} ${String(before).padStart(6)} ${String(after).padStart(6)}`,
    );
  return [`${name}, seed ${seed}: kinds of effects, killed before and after`, ...rows].join('\n');
}
