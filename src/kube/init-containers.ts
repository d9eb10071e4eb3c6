import type { Ending } from '../domain/instance.ts';
import type { ContainerLive, PodLive } from './answers.ts';

/** The container that a pod waits for before its engine's may start; null where none is known to run, or to have failed. Pure. */
export function preparing({ status }: PodLive): ContainerLive | null {
  const isPrepared = status?.containerStatuses?.some((one) => !isHeldBack(one)) ?? false;
  if (isPrepared) return null;
  // They run one after the other; before the one under way are those that are done, and helpers that stay.
  return status?.initContainerStatuses?.findLast((one) => !isDone(one) && !isHeldBack(one)) ?? null;
}

function isHeldBack({ state, restartCount }: ContainerLive): boolean {
  const { waiting, running, terminated } = state ?? {};
  if (running || terminated) return false;
  return !waiting || (beginnings.includes(waiting.reason ?? '') && (restartCount ?? 0) === 0);
}

const beginnings = ['PodInitializing', 'ContainerCreating'];

function isDone({ state }: ContainerLive): boolean {
  return state?.terminated?.exitCode === 0;
}

/** What a pod waits for with that container, as the end of a sentence. */
export function preparationText(one: ContainerLive): string {
  const ended = lastEnding(one);
  if (ended) return `is not prepared: its ${namedInit(one.name)} ${endText(ended)}`;
  const { waiting } = one.state ?? {};
  if (!waiting) return `is prepared by its ${namedInit(one.name)}`;
  const message = waiting.message?.trim().replace(/\.$/, '');
  return `waits for its ${namedInit(one.name)}: ${waiting.reason ?? 'no reason'}${message ? `: ${message}` : ''}`;
}

/** How it ended the last time, where it is not under way again. */
function lastEnding({ state, lastState }: ContainerLive): Ending | null {
  if (state?.running) return null;
  const ended = state?.terminated ?? lastState?.terminated;
  if (!ended || ended.exitCode === 0) return null;
  return { code: ended.exitCode ?? null, signal: null, outOfMemory: ended.reason === 'OOMKilled' };
}

/**
 * How it failed once more, where it did beyond that count of its starts; null else. A first failure is none yet: what fetches a model
 * is disturbed now and then, and its node tries it again.
 */
export function preparationEnding(one: ContainerLive, before: number): Ending | null {
  if ((one.restartCount ?? 0) <= before) return null;
  const ended = lastEnding(one);
  return ended && { ...ended, container: one.name };
}

function endText({ code, outOfMemory }: Ending): string {
  return outOfMemory
    ? 'took more memory than it may and was killed'
    : `ended with code ${code ?? 'unknown'} and is started again`;
}

function namedInit(name: string): string {
  return `init container ${name}`;
}
