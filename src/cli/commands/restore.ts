import type { Command } from 'commander';
import type { Kept } from '../../audit/remove/contract.ts';
import { keepRestored, listKept, readKept } from '../../audit/remove/kept.ts';
import { removableOf } from '../../audit/remove/kinds.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { takeHostLocks } from '../../fleet/apply/host-locks.ts';
import { worldOn } from '../../fleet/file/hosts.ts';
import type { CliContext } from '../context.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth restore', 'What "berth remove" has removed, and under which name its definition is kept.'],
  ['berth restore 2026-11-28T120000-unit-kimi-cpu.service', 'Makes it again, and starts it where it ran.'],
  [
    'berth restore 2026-11-28T120000-process-4711 --again',
    'Once more, though it was made again before: a server that has ended since.',
  ],
] as const;

export function configure(command: Command, context: CliContext): void {
  command
    .argument('[ids...]', 'what "berth remove" has printed')
    .option('--again', 'also what was made again before')
    .action(async (ids: string[], { again = false }: { again?: boolean }) => {
      const { world, output } = context;
      const all = await listKept(world);
      if (ids.length === 0) return list(context, all);
      const restored: { id: string; text: string }[] = [];
      for (const id of ids) {
        const kept = await keptAs(context, id, { all, again });
        using _locks = await takeHostLocks(world, [kept.host], {
          who: 'berth restore',
          onProgress: output.progress,
          signal: context.signal,
        });
        const there = await worldOn(world, kept.host);
        const text = await removableOf(kept.kind).restore(there, kept.definition);
        await keepRestored(world, kept, text);
        restored.push({ id, text });
      }
      output.result({ restored }, () => restored.map((one) => `Restored: ${one.text}.`).join('\n'));
    });
}

/** Throws RESTORE_UNKNOWN, RESTORE_DONE. */
async function keptAs(
  { world }: CliContext,
  id: string,
  { all, again }: { all: readonly Kept[]; again: boolean },
): Promise<Kept> {
  const kept = await readKept(world, id);
  if (!kept) throw new BerthError('RESTORE_UNKNOWN', { id, known: all.map((one) => one.id) });
  if (kept.restored && !again) throw new BerthError('RESTORE_DONE', { id, ...kept.restored });
  return kept;
}

function list({ output }: CliContext, all: readonly Kept[]): void {
  const kept = all.map(({ id, at, what, restored }) => ({ id, at, what, restored: restored ?? null }));
  output.result({ kept }, () =>
    kept.length === 0
      ? 'Nothing was removed yet.'
      : table([
          ['ID', 'WHAT', 'MADE AGAIN'],
          ...kept.map((one) => [one.id, one.what, one.restored?.at ?? '-']),
        ]),
  );
}
