import { useEffect, useState } from 'react';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { GatewayLoad } from '../../src/domain/gateway-load.ts';
import type { RunSummary } from '../../src/domain/run/report.ts';
import type { RunProgress } from '../../src/domain/run-progress.ts';
import { ApiError, ask, errorOf } from './api.ts';
import { watchRun } from './runs/running.ts';
import type { Running } from './runs/running.ts';
import { serverEvents } from './server-events.ts';

/** What the page knows of the fleet. The last state stays while the connection is being made again. */
export interface LiveFleet {
  readonly status: FleetStatus | null;
  /** The server's clock less this machine's, in ms, as of the last state. */
  readonly skewMs: number;
  readonly connection: 'connecting' | 'live' | 'lost';
  /** Why the state cannot be told. */
  readonly error: ApiError | null;
  /** The benchmark that runs now, as far as it tells this server. */
  readonly running: Running | null;
  /** Null until it was told, or when the gateway's figures are unknown. */
  readonly load: GatewayLoad | null;
  readonly runs: readonly RunSummary[] | null;
  readonly runsError: ApiError | null;
}

const start: LiveFleet = {
  status: null,
  skewMs: 0,
  connection: 'connecting',
  error: null,
  running: null,
  load: null,
  runs: null,
  runsError: null,
};
const longestWaitMs = 10_000;
const silenceMs = 45_000;

/** Follows the control server's events while the page is open; connects again after a loss, at growing distances. */
export function useLiveFleet(onRefused: () => void): LiveFleet {
  const [live, setLive] = useState(start);
  useEffect(() => {
    const leaving = new AbortController();
    void follow(setLive, onRefused, leaving.signal);
    return () => leaving.abort();
  }, [onRefused]);
  return live;
}

type Change = (next: (live: LiveFleet) => LiveFleet) => void;

async function follow(change: Change, onRefused: () => void, signal: AbortSignal): Promise<void> {
  for (let waitMs = 500; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      await listen(signal, (event, data) => {
        waitMs = 500;
        change((live) => reduce(live, event, data));
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 401) return onRefused();
    }
    if (signal.aborted) return;
    change((live) => ({ ...live, connection: 'lost' }));
    await pause(waitMs, signal);
  }
}

/** One connection, to its end. The server says something every 15 s at least; a silent connection is a dead one and is cut. */
async function listen(signal: AbortSignal, hear: (event: string, data: string) => void): Promise<void> {
  const silent = new AbortController();
  function cut(): void {
    silent.abort();
  }
  let timer = setTimeout(cut, silenceMs);
  try {
    const response = await ask('/events', { signal: AbortSignal.any([signal, silent.signal]) });
    for await (const { event, data } of serverEvents(response.body as ReadableStream<Uint8Array>)) {
      clearTimeout(timer);
      timer = setTimeout(cut, silenceMs);
      hear(event, data);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The next state of the page after one event. */
export function reduce(live: LiveFleet, event: string, data: string): LiveFleet {
  switch (event) {
    case 'status': {
      const status = JSON.parse(data) as FleetStatus;
      return { ...live, connection: 'live', error: null, status, skewMs: Date.parse(status.at) - Date.now() };
    }
    case 'status-failed':
      return { ...live, connection: 'live', error: errorOf(500, data) };
    case 'progress':
      return { ...live, running: watchRun(live.running, JSON.parse(data) as RunProgress) };
    case 'load':
      return { ...live, load: JSON.parse(data) as GatewayLoad | null };
    case 'load-failed':
      return { ...live, load: null };
    case 'runs':
      return { ...live, runs: JSON.parse(data) as RunSummary[], runsError: null };
    case 'runs-failed':
      return { ...live, runsError: errorOf(500, data) };
    default:
      return live;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
