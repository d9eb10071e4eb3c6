import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
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
/** A file that gets each moment as a line of JSON, with what it met and how long it took; none by default. */
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
      let kinds: readonly string[] = [];
      try {
        const story = await tellStory(machine);
        try {
          kinds = await crashAll(name, story, hits);
        } finally {
          console.info(histogram(name, hits));
        }
        await story.end();
      } finally {
        machine.stop();
        rmSync(folder, { recursive: true, force: true });
      }
      for (const kind of kinds) expect(fewest(kind, hits), kind).toBeGreaterThanOrEqual(least);
    },
    4 * 3_600_000,
  );
});

/** So many moments, and then more until each kind was met often enough on either side. Gives the kinds that there are. */
async function crashAll(name: string, story: Story, hits: Hits): Promise<readonly string[]> {
  const until = performance.now() + minutes * 60_000;
  const all = await effectsOf(story, changes);
  const effects = all.map(([change, found]) => [change, found.filter((kind) => only.test(kind))] as const);
  const kinds = effects.flatMap(([, found]) => found);
  const draw = momentsFrom(effects, seed);
  for (let turn = 0; turn < count || (turn < count + mostMore && isShort(kinds, hits)); turn += 1) {
    if (performance.now() > until) break;
    const { change, moment } = draw(hits);
    const began = performance.now();
    const met = await story.crash(change, moment);
    if (met !== null) countHit(hits, met, moment.when);
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    if (record)
      appendFileSync(record, `${JSON.stringify({ name, seed, turn, change, moment, met, seconds })}\n`);
  }
  return kinds;
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
