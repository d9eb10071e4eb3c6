import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { missingFor } from '../hosts/container-box.ts';
import { missingForSystemd } from '../hosts/systemd-box.ts';
import { dockerMachine } from './docker-machine.ts';
import type { CrashMachine } from './machine.ts';
import { seededMoments } from './moments.ts';
import type { SeededMoment } from './moments.ts';
import { processMachine } from './process-machine.ts';
import { tellStory } from './story.ts';
import type { Story } from './story.ts';
import { systemdMachine } from './systemd-machine.ts';

const seed = Number(process.env['BERTH_CRASH_SEED'] ?? Date.now() % 1_000_000);
const count = Number(process.env['BERTH_CRASH_MOMENTS'] ?? 200);
/** Of each kind of effect, before and after it; a short run need not meet them all. */
const least = count < 200 ? 0 : 5;
const mostTurns = 20;

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
      try {
        const story = await tellStory(machine);
        try {
          await crashAll(story, hits);
        } finally {
          console.info(histogram(name, hits));
        }
        await story.end();
      } finally {
        machine.stop();
        rmSync(folder, { recursive: true, force: true });
      }
      for (const [kind, hit] of hits)
        expect(Math.min(hit.before, hit.after), kind).toBeGreaterThanOrEqual(least);
    },
    4 * 3_600_000,
  );
});

/** How often there was a kill before and after each kind of effect. */
type Hits = Map<string, { before: number; after: number }>;

/** All seeded moments, then more of those kinds that a change has too seldom for a seed to meet. */
async function crashAll(story: Story, hits: Hits): Promise<void> {
  async function crash({ change, moment }: SeededMoment): Promise<void> {
    const kind = await story.crash(change, moment);
    if (kind === null) return;
    const hit = hits.get(kind) ?? { before: 0, after: 0 };
    hit[moment.when] += 1;
    hits.set(kind, hit);
  }
  const effects = { flip: await story.effects('flip'), fail: await story.effects('fail') };
  for (const seeded of seededMoments(effects, { seed, count })) await crash(seeded);
  for (const [kind, hit] of hits)
    for (const when of ['before', 'after'] as const)
      for (let turn = 0; hit[when] < least && turn < mostTurns; turn += 1) {
        const change = effects.flip.includes(kind) ? 'flip' : 'fail';
        await crash({ change, moment: { effect: 0, kind, when } });
      }
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
