import type { Command } from 'commander';
import { listKept, readKept } from '../../audit/remove/kept.ts';
import { removableOf } from '../../audit/remove/kinds.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { takeHostLocks } from '../../fleet/apply/host-locks.ts';
import { worldOn } from '../../fleet/file/hosts.ts';
import type { CliContext } from '../context.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth restore', 'What "berth remove" has removed, and under which name its definition is kept.'],
  ['berth restore 2026-11-28T120000-unit-kimi-cpu.service', 'Makes it again, and starts it where it ran.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command.argument('[ids...]', 'what "berth remove" has printed').action(async (ids: string[]) => {
    const { world, output } = context;
    const all = await listKept(world);
    if (ids.length === 0) {
      const kept = all.map(({ id, at, what }) => ({ id, at, what }));
      return output.result({ kept }, () =>
        kept.length === 0
          ? 'Nothing was removed yet.'
          : table([['ID', 'WHAT'], ...kept.map((one) => [one.id, one.what])]),
      );
    }
    const restored: { id: string; text: string }[] = [];
    for (const id of ids) {
      const kept = await readKept(world, id);
      if (!kept) throw new BerthError('RESTORE_UNKNOWN', { id, known: all.map((one) => one.id) });
      using _locks = await takeHostLocks(world, [kept.host], {
        who: 'berth restore',
        onProgress: output.progress,
      });
      const there = await worldOn(world, kept.host);
      restored.push({ id, text: await removableOf(kept.kind).restore(there, kept.definition) });
    }
    output.result({ restored }, () => restored.map((one) => `Restored: ${one.text}.`).join('\n'));
  });
}
