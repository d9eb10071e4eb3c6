import { urlHost } from '../../domain/url-host.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { sameObject } from '../../domain/instance.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { engineOf } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import type { Started } from '../../targets/contract.ts';
import { passedOn } from '../../io/http.ts';
import { targetOf } from '../../targets/registry.ts';
import { askToken, silenceOf } from './ask-token.ts';
import type { TokenAnswer } from './ask-token.ts';
import { engineHeaders } from './engine-key.ts';
import { startTime } from './start-time.ts';
import type { StartSign } from './start-time.ts';
import { holderOf, observe } from '../observe/observe.ts';

const pollMs = 150;
const clusterPollMs = 500;
const probeMs = 5_000;
const shownLines = 20;
/** The first token of a large model on a slow disk. */
const firstTokenMs = 120_000;
const tokenPollMs = 1_000;

export interface ReadyOptions {
  readonly started: Started;
  readonly mark: Mark;
  readonly signal: AbortSignal;
}

/** What is missing until it is ready. */
interface Lack extends StartSign {
  readonly url: string;
  /** The end of a sentence. */
  readonly answer: string;
  /** When it is worth looking again. */
  readonly againMs?: number;
}

/**
 * Waits until the engine answers: its readiness path, then a first real question, and where it generates a token; the answers must
 * come from its own socket. One that is well and gives no token is waited for a minute longer, since that seldom mends itself.
 * Throws ENGINE_CRASHED, ENGINE_PORT_TAKEN or ENGINE_NOT_READY with the engine's last lines, and ENGINE_UNREACHED where only berth
 * cannot ask it.
 */
export async function waitReady(world: World, options: ReadyOptions): Promise<void> {
  const { mark, signal } = options;
  const { instance } = options.started;
  const begun = world.clock.now();
  const time = startTime(begun, mark.spec.readiness.startTimeoutMs);
  let lack: Lack = { url: urlOf(mark) + mark.spec.readiness.path, answer: 'did not answer' };
  while (world.clock.now() < time.until()) {
    signal.throwIfAborted();
    if (await hasEnded(world, options.started)) throw await crashed(world, options);
    const now = await lackOf(world, options, time.until() - world.clock.now());
    if (now === null) return;
    time.hear(now, world.clock.now());
    lack = now;
    await world.clock.sleep(now.againMs ?? pollMs, signal);
  }
  if (await hasEnded(world, options.started)) throw await crashed(world, options);
  if (lack.unreached) {
    const { deployment } = mark;
    const object = instance.object.name;
    throw new BerthError('ENGINE_UNREACHED', { deployment, object, url: lack.url, answer: lack.answer });
  }
  throw new BerthError('ENGINE_NOT_READY', {
    deployment: mark.deployment,
    url: lack.url,
    seconds: Math.round((time.until() - begun) / 1000),
    answer: lack.answer,
    log: await options.started.lines(shownLines),
    logPlace: logPlace(mark, instance),
  });
}

async function lackOf(world: World, options: ReadyOptions, leftMs: number): Promise<Lack | null> {
  const { started, signal } = options;
  const { instance } = started;
  const { path } = options.mark.spec.readiness;
  const reached = (await targetOf(instance.object.target).settled?.(world, instance)) ?? null;
  if (reached !== null && 'waits' in reached)
    return {
      url: urlOf(options.mark) + path,
      answer: reached.waits,
      prepares: reached.stage === 'prepares',
      runs: reached.stage === 'runs',
      againMs: clusterPollMs,
    };
  const mark = reached === null ? options.mark : { ...options.mark, reached };
  const runs = reached !== null;
  const url = urlOf(mark) + path;
  const answer = await probe(world, mark);
  if (answer !== '') return { url, answer, runs, unreached: runs && isSilent(answer) };
  // Another server on that port would answer as well, so its socket is looked for.
  if (!(await listensItself(world, instance, mark.port)))
    return { url, answer: 'is answered by another process' };
  const timeoutMs = Math.ceil(Math.max(1_000, Math.min(leftMs, firstTokenMs)));
  const lack = await tokenLack(world, { mark, signal, timeoutMs });
  if (lack !== null) return { ...lack, runs };
  const remains = (await targetOf(instance.object.target).remains?.(world, instance)) ?? '';
  return remains === '' ? null : { url, answer: remains };
}

/** A refusal is an answer: the model may be one that makes no tokens, or its key another's. */
async function tokenLack(
  world: World,
  { mark, signal, timeoutMs }: { mark: Mark; signal: AbortSignal; timeoutMs: number },
): Promise<Lack | null> {
  const asked = await askEngine(world, { mark, signal, timeoutMs });
  if (!asked) return null;
  const { fault, status, path } = asked;
  if (fault === null || (status !== null && status !== 429 && (status < 500 || status === 501))) return null;
  return { url: urlOf(mark) + path, answer: fault, token: true, againMs: tokenPollMs };
}

/** Asks it for one token. Null: it is none that can be asked. */
export async function askEngine(
  world: World,
  { mark, signal, timeoutMs }: { mark: Mark; signal: AbortSignal; timeoutMs: number },
): Promise<TokenAnswer | null> {
  const { paths, modelsPath } = engineOf(mark.spec.engine);
  // One that serves several would load one of them.
  if (modelsPath !== undefined || !paths.includes('/v1/completions')) return null;
  return askToken(world.http, {
    url: urlOf(mark),
    headers: await engineHeaders(world, mark),
    model: mark.spec.servedModel ?? mark.deployment,
    paths,
    timeoutMs,
    signal,
  });
}

/** Waits for an engine that runs already: as long as it may still be starting, else a few seconds. Throws ENGINE_SILENT, and ENGINE_UNREACHED as `waitReady` does. */
export async function waitAnswer(
  world: World,
  options: { instance: Instance; mark: Mark; signal: AbortSignal },
): Promise<void> {
  const { instance, mark } = options;
  const age = world.clock.wall().getTime() - Date.parse(instance.startedAt ?? '');
  const left = Math.max(probeMs, mark.spec.readiness.startTimeoutMs - age);
  const until = world.clock.now() + left;
  let answer = await probe(world, mark);
  while (answer !== '' && world.clock.now() < until && (await isAlive(world, instance))) {
    await world.clock.sleep(pollMs, options.signal);
    answer = await probe(world, mark);
  }
  if (answer === '') return;
  const { deployment } = mark;
  const object = instance.object.name;
  if (isSilent(answer) && (await isReadyByTarget(world, instance)))
    throw new BerthError('ENGINE_UNREACHED', { deployment, object, url: urlOf(mark), answer });
  throw new BerthError('ENGINE_SILENT', {
    deployment,
    object,
    url: urlOf(mark) + mark.spec.readiness.path,
    answer,
    log: await linesOf(world, instance),
    logPlace: logPlace(mark, instance),
  });
}

export function urlOf(mark: Pick<Mark, 'address' | 'port' | 'reached'>): string {
  const { address, port } = mark.reached ?? mark;
  return `http://${urlHost(address)}:${port}`;
}

/** A target that starts again what crashes tells the end of this very start. */
async function hasEnded(world: World, started: Started): Promise<boolean> {
  return !(await isAlive(world, started.instance)) || (await started.ending()) !== null;
}

function isAlive(world: World, instance: Instance): Promise<boolean> {
  return targetOf(instance.object.target).isAlive(world, instance);
}

/** Where a person finds the whole output, in words. */
function logPlace(mark: Mark, instance: Instance): string {
  return targetOf(mark.target.kind).logPlace(mark, instance);
}

async function linesOf(world: World, instance: Instance): Promise<string[]> {
  const how = { lines: shownLines, follow: false, signal: AbortSignal.timeout(probeMs) };
  const lines: string[] = [];
  for await (const line of targetOf(instance.object.target).logs(world, instance, how)) lines.push(line);
  return lines;
}

/** So begins what is wrong with one that gave an answer. */
const answered = 'answers';

/** That only berth cannot ask it, and its cluster calls it ready. */
export function isUnreached(error: unknown): boolean {
  return error instanceof BerthError && error.code === 'ENGINE_UNREACHED';
}

function isSilent(answer: string): boolean {
  return !answer.startsWith(answered);
}

async function isReadyByTarget(world: World, instance: Instance): Promise<boolean> {
  const settled = await targetOf(instance.object.target).settled?.(world, instance);
  return settled !== undefined && 'address' in settled;
}

/** Empty when it is ready, else what is wrong, as the end of a sentence. */
export async function probe(world: World, mark: Mark): Promise<string> {
  const headers = await engineHeaders(world, mark);
  const paths = [mark.spec.readiness.path];
  if (engineOf(mark.spec.engine).needsModel) paths.push('/v1/models');
  for (const path of paths) {
    try {
      const question = { headers, timeoutMs: probeMs };
      const { status, headers: told } = await world.http.request(urlOf(mark) + path, question);
      // On that way its key cannot go with the question: who asks for one is there.
      if (status === 401 && told[passedOn] !== undefined) continue;
      if (status < 200 || status > 299) return `${answered} ${status}`;
    } catch (error) {
      return silenceOf(error, probeMs);
    }
  }
  return '';
}

async function listensItself(world: World, instance: Instance, port: number): Promise<boolean> {
  const { instances } = await observe(world);
  const now = instances.find((one) => sameObject(one.object, instance.object));
  return now?.endpoints.some((end) => end.port === port) ?? false;
}

async function crashed(world: World, options: ReadyOptions): Promise<BerthError> {
  const { mark, started } = options;
  const log = await started.lines(shownLines);
  const facts = { deployment: mark.deployment, log, logPlace: logPlace(mark, started.instance) };
  const seen = await observe(world);
  // Its own port can be held for it by another: the helper of a container engine.
  const own = seen.instances.find((one) => sameObject(one.object, started.instance.object));
  const holder = own?.endpoints.some((end) => end.port === mark.port) ? null : holderOf(seen, mark);
  if (holder) return new BerthError('ENGINE_PORT_TAKEN', { ...facts, port: mark.port, holder: holder.text });
  return new BerthError('ENGINE_CRASHED', { ...facts, ending: await started.ending() });
}
