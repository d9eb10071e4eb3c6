import { BerthError } from '../domain/errors/berth-error.ts';
import type { Ending, Instance, Mark } from '../domain/instance.ts';
import { engineOf } from '../engines/registry.ts';
import { lastLines } from '../io/log-file.ts';
import type { World } from '../io/world.ts';
import { holderOf, observe } from './observe.ts';
import { sameProcess } from './stale.ts';
import { isProcess } from './up-state.ts';

const pollMs = 150;
const probeMs = 5_000;
const shownLines = 20;

export interface ReadyOptions {
  readonly instance: Instance;
  readonly mark: Mark;
  /** Byte of the log at which this start begins. */
  readonly logFrom: number;
  readonly signal: AbortSignal;
  /** How the engine ended, where it has and the target can know. */
  readonly ending: () => Ending | null;
}

/**
 * Waits until the engine answers: its readiness path, then a first real question, and the answers must come from its own socket.
 * Throws ENGINE_CRASHED, ENGINE_PORT_TAKEN or ENGINE_NOT_READY with the engine's last lines.
 */
export async function waitReady(world: World, options: ReadyOptions): Promise<void> {
  const { mark } = options;
  const until = world.clock.now() + mark.spec.readiness.startTimeoutMs;
  let answer = 'did not answer';
  while (world.clock.now() < until) {
    options.signal.throwIfAborted();
    if (!isAlive(world, options.instance)) throw await crashed(world, options);
    answer = await probe(world, mark);
    // Another server on that port would answer as well, so its socket is looked for.
    if (answer === '' && (await listensItself(world, options.instance, mark.port))) return;
    await world.clock.sleep(pollMs, options.signal);
  }
  if (!isAlive(world, options.instance)) throw await crashed(world, options);
  throw new BerthError('ENGINE_NOT_READY', {
    deployment: mark.deployment,
    url: urlOf(mark) + mark.spec.readiness.path,
    seconds: Math.round(mark.spec.readiness.startTimeoutMs / 1000),
    answer: answer === '' ? 'is answered by another process' : answer,
    log: await logOf(options),
    logFile: mark.logFile,
  });
}

/** Waits for an engine that runs already: as long as it may still be starting, else a few seconds. Throws ENGINE_SILENT. */
export async function waitAnswer(
  world: World,
  options: { instance: Instance; mark: Mark; signal: AbortSignal },
): Promise<void> {
  const { instance, mark } = options;
  const age = world.clock.wall().getTime() - Date.parse(instance.startedAt ?? '');
  const left = Math.max(probeMs, mark.spec.readiness.startTimeoutMs - age);
  const until = world.clock.now() + left;
  let answer = await probe(world, mark);
  while (answer !== '' && world.clock.now() < until && isAlive(world, instance)) {
    await world.clock.sleep(pollMs, options.signal);
    answer = await probe(world, mark);
  }
  if (answer === '') return;
  throw new BerthError('ENGINE_SILENT', {
    deployment: mark.deployment,
    pid: instance.process?.pid ?? 0,
    url: urlOf(mark) + mark.spec.readiness.path,
    answer,
    log: (await lastLines(mark.logFile, shownLines)).lines,
    logFile: mark.logFile,
  });
}

export function urlOf(mark: Pick<Mark, 'address' | 'port'>): string {
  const host = mark.address.includes(':') ? `[${mark.address}]` : mark.address;
  return `http://${host}:${mark.port}`;
}

/** The very process that was started, not a later one of the same pid. */
function isAlive(world: World, instance: Instance): boolean {
  return instance.process !== null && isProcess(world, instance.process);
}

/** Empty when it is ready, else what is wrong, as the end of a sentence. */
export async function probe(world: World, mark: Mark): Promise<string> {
  const paths = [mark.spec.readiness.path];
  if (engineOf(mark.spec.engine).needsModel) paths.push('/v1/models');
  for (const path of paths) {
    try {
      const { status } = await world.http.request(urlOf(mark) + path, { timeoutMs: probeMs });
      if (status < 200 || status > 299) return `answers ${status}`;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'ECONNREFUSED' ? 'does not listen yet' : `does not answer (${code ?? String(error)})`;
    }
  }
  return '';
}

async function listensItself(world: World, instance: Instance, port: number): Promise<boolean> {
  const { instances } = await observe(world);
  const now = instances.find(
    (one) => one.process && instance.process && sameProcess(one.process, instance.process),
  );
  return now?.endpoints.some((end) => end.port === port) ?? false;
}

async function logOf(options: ReadyOptions): Promise<string[]> {
  return (await lastLines(options.mark.logFile, shownLines, options.logFrom)).lines;
}

async function crashed(world: World, options: ReadyOptions): Promise<BerthError> {
  const { mark } = options;
  const log = await logOf(options);
  const facts = { deployment: mark.deployment, log, logFile: mark.logFile };
  const holder = holderOf(await observe(world), mark);
  if (holder) return new BerthError('ENGINE_PORT_TAKEN', { ...facts, port: mark.port, holder: holder.text });
  return new BerthError('ENGINE_CRASHED', { ...facts, ending: options.ending() });
}
