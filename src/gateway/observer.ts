import type { ObserveConfig } from '../domain/observe-config.ts';
import { openBatchedFile } from '../io/batched-file.ts';
import type { BatchedFile } from '../io/batched-file.ts';
import type { Log } from '../io/log.ts';
import { accessRecord, accessText } from './access-line.ts';
import type { Call } from './call.ts';
import { createLiveTable } from './live-requests.ts';
import type { LiveTable } from './live-requests.ts';

/** Who watches requests come and go, beside the counters: live table and access log. */
export interface Observer {
  readonly live: LiveTable;
  readonly began: (call: Call) => void;
  readonly ended: (call: Call) => void;
  /** Takes another configuration; what was noted under the old one is written. */
  readonly configure: (config: ObserveConfig) => void;
  /** Lines of the access log that could not be written. */
  readonly lostLines: () => number;
  readonly close: () => Promise<void>;
}

export function createObserver(world: { readonly log: Log }, first: ObserveConfig): Observer {
  const live = createLiveTable(() => performance.now());
  let config = first;
  let lost = 0;
  let log = openLog(world, config.accessLog);
  const closing = new Set<Promise<void>>();

  function closeLog(): void {
    const old = log;
    log = null;
    if (!old) return;
    const closed = old.close().finally(() => {
      lost += old.lost();
      closing.delete(closed);
    });
    closing.add(closed);
  }
  return {
    live,
    began: live.add,
    ended: (call) => {
      live.remove(call);
      if (!log) return;
      const record = accessRecord(call, performance.now());
      log.write(config.accessLog?.format === 'text' ? accessText(record) : JSON.stringify(record));
    },
    configure: (next) => {
      const same = JSON.stringify(next.accessLog) === JSON.stringify(config.accessLog);
      config = next;
      if (same) return;
      closeLog();
      log = openLog(world, next.accessLog);
    },
    lostLines: () => lost + (log?.lost() ?? 0),
    close: async () => {
      closeLog();
      await Promise.all(closing);
    },
  };
}

function openLog(world: { readonly log: Log }, config: ObserveConfig['accessLog']): BatchedFile | null {
  if (!config) return null;
  let told = false;
  return openBatchedFile(config.path, {
    maxBytes: config.maxBytes,
    keep: config.keep,
    onFault: (error) => {
      if (!told) world.log.error('The access log cannot be written.', { reason: String(error) });
      told = true;
    },
  });
}
