import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { loadBetween } from '../../domain/fleet-load.ts';
import type { FleetLoad } from '../../domain/fleet-load.ts';
import { readLoad } from '../../fleet/observe/read-load.ts';
import type { ExternalAnswers } from '../../fleet/observe/status.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import { loadDespiteFaults } from '../despite-faults.ts';
import type { FileOptions } from '../fleet-file.ts';
import { loadText } from '../text/load-text.ts';
import { createRedraw } from '../redraw.ts';

export const examples = [
  ['berth top', 'Drawn anew every two seconds; Ctrl-C ends it.'],
  ['berth top --once', 'The figures of two seconds, once.'],
  ['berth top --json', 'One line of JSON each time.'],
] as const;

interface TopOptions extends FileOptions {
  readonly interval: string;
  readonly once?: boolean;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .option('--interval <seconds>', 'time between two looks, over which rates are counted', '2')
    .option('--once', 'tell it once and end')
    .action(async (options: TopOptions) => {
      const seconds = Number(options.interval);
      if (!Number.isFinite(seconds) || seconds < 0.1)
        throw new BerthError('USAGE', {
          detail: '--interval is a number of seconds, 0.1 or more',
          command: 'top',
        });
      const show = options.once ? showOnce(context) : showAgain(context);
      for await (const load of loads(context, options, seconds * 1000)) {
        show(load);
        if (options.once) return;
      }
    });
}

/** What the fleet does, look by look; ends when the command is interrupted. */
async function* loads(
  context: CliContext,
  options: FileOptions,
  intervalMs: number,
): AsyncGenerator<FleetLoad> {
  const { world, output, signal } = context;
  const loaded = await loadDespiteFaults(context, options);
  const answers: ExternalAnswers = new Map();
  const told = new Set<string>();
  // Each once, and none over what has been drawn.
  function onWait(line: string): void {
    if (!told.has(line)) output.progress(line);
    told.add(line);
  }
  // Rates want two looks; whether somebody is ready is asked in those that are shown.
  let before = await readLoad(world, loaded, { answers, onWait, unasked: true });
  let waiting: typeof onWait | undefined = onWait;
  while (!signal.aborted) {
    await world.clock.sleep(intervalMs, signal).catch(() => {});
    if (signal.aborted) return;
    const now = await readLoad(world, loaded, { answers, onWait: waiting });
    waiting = undefined;
    yield loadBetween(loaded.fleet, before, now);
    before = now;
  }
}

function showOnce({ output }: CliContext): (load: FleetLoad) => void {
  return (load) => output.result(load, () => loadText(load));
}

/** Over itself on a terminal, else one after the other. */
function showAgain({ output }: CliContext): (load: FleetLoad) => void {
  if (output.json) return (load) => output.raw(`${JSON.stringify(load)}\n`);
  if (!process.stdout.isTTY) return (load) => output.raw(`${loadText(load)}\n\n`);
  const { draw } = createRedraw(process.stdout);
  return (load) => draw(loadText(load).split('\n'));
}
