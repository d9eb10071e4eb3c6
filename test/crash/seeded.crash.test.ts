import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { missingFor } from '../hosts/container-box.ts';
import { missingForSystemd } from '../hosts/systemd-box.ts';
import { dockerMachine } from './docker-machine.ts';
import type { CrashMachine } from './machine.ts';
import { seededMoments } from './moments.ts';
import { processMachine } from './process-machine.ts';
import { tellStory } from './story.ts';
import { systemdMachine } from './systemd-machine.ts';

const seed = Number(process.env['BERTH_CRASH_SEED'] ?? Date.now() % 1_000_000);
const count = Number(process.env['BERTH_CRASH_MOMENTS'] ?? 200);

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
      const hits = new Map<string, { before: number; after: number }>();
      let through = 0;
      try {
        const story = await tellStory(machine);
        try {
          const effects = { flip: await story.effects('flip'), fail: await story.effects('fail') };
          for (const { change, moment } of seededMoments(effects, { seed, count })) {
            const kind = await story.crash(change, moment);
            if (kind === null) {
              through += 1;
              continue;
            }
            const hit = hits.get(kind) ?? { before: 0, after: 0 };
            hit[moment.when] += 1;
            hits.set(kind, hit);
          }
        } finally {
          console.info(histogram(name, hits, through));
        }
        await story.end();
      } finally {
        machine.stop();
        rmSync(folder, { recursive: true, force: true });
      }
      if (count < 200) return;
      for (const [kind, hit] of hits) expect(Math.min(hit.before, hit.after), kind).toBeGreaterThanOrEqual(5);
    },
    4 * 3_600_000,
  );
});

function histogram(
  name: string,
  hits: ReadonlyMap<string, { before: number; after: number }>,
  through: number,
): string {
  const rows = [...hits]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([kind, { before, after }]) =>
        `  ${kind.padEnd(32)} ${String(before).padStart(6)} ${String(after).padStart(6)}`,
    );
  return [
    `${name}, seed ${seed}: kinds of effects, killed before and after`,
    ...rows,
    `  ended before the moment came: ${through}`,
  ].join('\n');
}
