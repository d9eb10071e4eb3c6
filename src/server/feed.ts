import type { Clock } from '../io/clock.ts';
import type { GatewayLoad } from '../domain/gateway-load.ts';
import type { RunProgress } from '../domain/run-progress.ts';
import { errorReply } from './error-reply.ts';
import type { ControlPorts } from './ports.ts';
import { retell } from './run-story.ts';

/**
 * What a page is told, each when it changed: `status` (FleetStatus), `load` (GatewayLoad or null), `runs` (the list of runs);
 * instead of one of them `NAME-failed` (an error reply). Besides: `progress` (of a benchmark), `beat` (nothing happened for a while; silence means a dead connection), `end`.
 */
export type FeedEvent = string;

/** `data` is JSON on one line. */
export type Listener = (event: FeedEvent, data: string) => void;

export interface Feed {
  /** The last known state comes at once; returns the way to leave. */
  readonly subscribe: (listener: Listener) => () => void;
  readonly close: () => void;
}

export type FeedPorts = Pick<ControlPorts, 'status' | 'runs' | 'onProgress'> & {
  readonly load: () => Promise<GatewayLoad | null>;
};

/** Something that is looked at again and again. */
interface Source {
  readonly event: string;
  readonly read: () => Promise<unknown>;
  /** The part of a value whose change is worth telling. */
  readonly same?: (value: unknown) => unknown;
  /** Looked at with every so many looks. */
  readonly every: number;
}

interface Told {
  readonly event: FeedEvent;
  readonly data: string;
  readonly same: string;
}

const beatMs = 15_000;

function sourcesOf(ports: FeedPorts): Source[] {
  return [
    // The time of looking changes always.
    { event: 'status', read: ports.status, same: (value) => ({ ...(value as object), at: null }), every: 1 },
    { event: 'load', read: ports.load, every: 1 },
    // Runs come from other processes too; listing them reads files.
    { event: 'runs', read: ports.runs, every: 10 },
  ];
}

/** Looks at the fleet once a period, only while somebody listens. */
export function createFeed(ports: FeedPorts, options: { clock: Clock; periodMs: number }): Feed {
  const { clock, periodMs } = options;
  const sources = sourcesOf(ports);
  const listeners = new Set<Listener>();
  const last = new Map<string, Told>();
  const closing = new AbortController();
  let story: readonly RunProgress[] = [];
  let toldAt = 0;
  let watching = false;

  function tell(event: FeedEvent, data: string): void {
    toldAt = clock.now();
    for (const listener of listeners) listener(event, data);
  }
  async function look(source: Source): Promise<void> {
    const next = await read(source);
    if (next.same !== last.get(source.event)?.same) tell(next.event, next.data);
    last.set(source.event, next);
  }
  async function watch(): Promise<void> {
    if (watching) return;
    watching = true;
    for (let turn = 0; listeners.size > 0 && !closing.signal.aborted; turn += 1) {
      await Promise.all(sources.filter(({ every }) => turn % every === 0).map(look));
      if (clock.now() - toldAt > beatMs) tell('beat', '{}');
      await clock.sleep(periodMs, closing.signal).catch(() => {});
    }
    watching = false;
    last.clear();
  }

  const stopProgress = ports.onProgress((progress) => {
    story = retell(story, progress);
    tell('progress', JSON.stringify(progress));
    // Whoever watched it wants to see it in the list, now.
    if (progress.type === 'run-ended' && watching) void Promise.all(sources.filter(isRuns).map(look));
  });
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      for (const { event, data } of last.values()) listener(event, data);
      for (const progress of story) listener('progress', JSON.stringify(progress));
      void watch();
      return () => void listeners.delete(listener);
    },
    close: () => {
      stopProgress();
      closing.abort();
      tell('end', '{}');
      listeners.clear();
    },
  };
}

function isRuns(source: Source): boolean {
  return source.event === 'runs';
}

async function read(source: Source): Promise<Told> {
  try {
    const value = await source.read();
    const data = JSON.stringify(value);
    return {
      event: source.event,
      data,
      same: source.same ? JSON.stringify(source.same(value)) : data,
    };
  } catch (error) {
    const { body } = errorReply(error);
    return { event: `${source.event}-failed`, data: body, same: body };
  }
}
