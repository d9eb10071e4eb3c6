import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { up } from '../../fleet/up/up.ts';
import type { ReloadListener, UpHold } from '../../fleet/up/up-ports.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import type { UpState } from '../../fleet/up/up-state.ts';
import type { CliContext } from '../context.ts';
import { consoleAddress } from '../console-address.ts';
import { startControl } from '../control.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import { fetchModel, fetchModels } from '../fetch-models.ts';
import { createProgressHub } from '../progress-hub.ts';
import type { ProgressHub } from '../progress-hub.ts';
import { heldText } from '../text/held-text.ts';
import { reportText } from '../text/report-text.ts';
import type { HeldRun } from '../bench/held-runs.ts';
import type { FileOptions } from '../fleet-file.ts';
import { latch } from '../../io/latch.ts';
import type { Latch } from '../../io/latch.ts';
import { detachUp, inBackground } from '../detach-up.ts';
import { watchFiles } from '../watch-files.ts';

export const examples = [
  [
    'berth up',
    'Brings the fleet up, opens gateway and console, and stays. Ctrl-C ends both and leaves the engines.',
  ],
  ['berth up --detach', 'The same in the background; "berth down" ends it.'],
] as const;

interface UpCommandOptions extends FileOptions {
  readonly detach?: boolean;
  readonly ephemeral?: boolean;
  readonly force?: boolean;
  readonly watch?: boolean;
  readonly bench?: boolean;
  readonly once?: boolean;
  readonly allowAnonymous?: boolean;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .option('--detach', 'stay in the background')
    .option('--ephemeral', 'stop the engines that it started when it ends')
    .option('--force', 'start what does not fit by what is computed of it')
    .option('--watch', 'apply the fleet file whenever it changes')
    .option('--bench', 'run the benchmarks of the file once everything serves')
    .option('--once', 'the same, and end when they are done')
    .option('--allow-anonymous', 'serve anybody who reaches the gateway, if the file says so too')
    .action(async (options: UpCommandOptions) => {
      const loaded = await load(context, options);
      if (options.detach) {
        const state = await detachUp(context, loaded);
        const address = await addressOf(context, state);
        context.output.result(state, () => servingText(state, address));
        return;
      }
      const hub = createProgressHub();
      const ended = new AbortController();
      const changes = options.watch ? watchFrom(context, loaded, ended.signal) : null;
      hub.follow(context.world, AbortSignal.any([context.signal, ended.signal]));
      await up(
        context.world,
        loaded,
        { ephemeral: options.ephemeral ?? false, force: options.force ?? false, signal: context.signal },
        {
          onProgress: context.output.progress,
          fetch: (plan) => fetchModels(context, plan),
          fetchModel: (fetch, how) => fetchModel(context, fetch, how),
          reload: () => load(context, options),
          onReload: (listener) => onReload(context, changes, listener),
          startControl: (hold) => startControl(context, hold, { onProgress: hub.subscribe }),
          serving: (state, hold) => serve(context, { state, hold, hub, options }),
        },
      ).finally(() => ended.abort());
    });
}

function load(context: CliContext, options: UpCommandOptions): Promise<LoadedFleet> {
  return loadFrom(context, options, { opens: { allowAnonymous: options.allowAnonymous ?? false } });
}

interface Changes extends Pick<Latch, 'listen'> {
  /** Which files are looked at from now on. */
  readonly follow: (files: () => readonly string[]) => void;
}

/** Changes of the fleet's files since they were read: what comes before the gateway is open is told once it is. */
function watchFrom({ world }: CliContext, { files }: LoadedFleet, signal: AbortSignal): Changes {
  const watched = { files: (): readonly string[] => files.map(({ path }) => path) };
  const changes = latch();
  void watchFiles(world, () => watched.files(), { signal, onChange: changes.tell });
  return { listen: changes.listen, follow: (now) => (watched.files = now) };
}

/** SIGHUP, and where it was asked for each change of the fleet's files. */
function onReload(
  { hangUps }: CliContext,
  changes: Changes | null,
  { reload, files }: ReloadListener,
): () => void {
  changes?.follow(files);
  const stops = [hangUps, changes].map((one) => one?.listen(() => reload()));
  return () => {
    for (const stop of stops) stop?.();
  };
}

interface Serving {
  readonly state: UpState;
  readonly hold: UpHold;
  readonly hub: ProgressHub;
  readonly options: UpCommandOptions;
}

/** Measures if asked to, says what came of it and where everything is, then goes on until it is interrupted. */
async function serve(context: CliContext, { state, hold, hub, options }: Serving): Promise<void> {
  const { output, signal } = context;
  const address = await addressOf(context, state);
  const measures = options.bench || options.once;
  // A person who waits for the benchmark can watch it in the console; the address holds the token, so it is for no log.
  if (measures && output.terminal) output.progress(servingText(state, address));
  const runs = measures ? await bench(context, hold, hub, options.once ?? false) : [];
  const text = [
    ...runs.map((run) => `\n${reportText(run.report, run.folder)}${heldText(run)}\n`),
    servingText(state, address),
    ...curlText(hold),
    ...(options.once ? [] : [lastLine(options)]),
  ].join('\n');
  output.result(measures ? { ...state, runs } : state, () => text);
  if (options.once) return;
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A benchmark that fails, or is worse than its baseline, ends the command only where it is all that was asked for. */
async function bench(context: CliContext, hold: UpHold, hub: ProgressHub, once: boolean): Promise<HeldRun[]> {
  const { specsOfFleet } = await import('../bench/run-benchmarks.ts');
  const { endOfHeld, runHeld } = await import('../bench/held-runs.ts');
  try {
    const runs = await runHeld(context, await specsOfFleet(context, hold.loaded(), []), hub.tell);
    if (once) endOfHeld(runs, context);
    return runs;
  } catch (error) {
    if (once || !(error instanceof BerthError)) throw error;
    context.output.progress(`${error.message}\n${error.cure}`);
    return [];
  }
}

function lastLine({ ephemeral }: UpCommandOptions): string {
  return ephemeral ? 'Ctrl-C ends all of it.' : 'Ctrl-C ends gateway and console; the engines stay.';
}

/** With the token for people; without it where the output is a log (in the background) and in JSON. */
async function addressOf({ world }: CliContext, state: UpState): Promise<string | null> {
  const url = state.console?.url ?? null;
  return url === null || world.env[inBackground] ? url : consoleAddress(world, state, url);
}

function servingText(state: UpState, consoleUrl: string | null): string {
  return [
    `Fleet ${state.fleet} is up.`,
    `Gateway: ${state.gateway?.url ?? 'not open'}/v1`,
    `Console: ${consoleUrl ?? 'not open'}`,
  ].join('\n');
}

/** A first request, ready to be pasted. Keys are never printed: their variable stands for them. */
function curlText(hold: UpHold): string[] {
  const loaded = hold.loaded();
  const gateway = hold.gateway();
  const [deployment] = loaded.deployments;
  if (!gateway || !deployment) return [];
  const body = JSON.stringify({
    model: deployment.name,
    messages: [{ role: 'user', content: 'What is berth?' }],
  });
  const { keys, tls } = loaded.gateway;
  const [key] = Object.values(keys);
  const bearer = key
    ? 'env' in key
      ? `$${key.env}`
      : `$(cat '${key.file}')`
    : gateway.keyNeeded
      ? '$BERTH_KEY'
      : null;
  const auth = bearer === null ? '' : ` -H "Authorization: Bearer ${bearer}"`;
  // The certificate itself passes for its authority, whoever has signed it.
  const trust = tls?.cert ? ` --cacert '${tls.cert}'` : '';
  const shown = tls?.clientCa ? ' --cert YOUR.pem --key YOUR-KEY.pem' : '';
  return [
    bearer === '$BERTH_KEY' ? 'Try it, with a key of "berth keys add" in BERTH_KEY:' : 'Try it:',
    `curl ${gateway.url}/v1/chat/completions${trust}${shown}${auth} -H 'Content-Type: application/json' -d '${body}'`,
  ];
}
