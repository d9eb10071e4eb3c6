import { randomUUID } from 'node:crypto';
import { boundsOf, bucketOf, dealtPoint, errorPoints } from '../../domain/experiment-tally.ts';
import type { TallyRow } from '../../domain/experiment-tally.ts';
import type { Log } from '../../io/log.ts';
import type { TallyFile } from '../../io/tally/tally-file.ts';
import { openTallyFile } from '../../io/tally/tally-file.ts';

/** One request of an experiment: whose it is, and what was measured of it so far (seconds). */
export interface Trial {
  readonly experiment: string;
  readonly measure: string;
  readonly deployment: string;
  readonly client: string;
  ttft: number | null;
  tpot: number | null;
}

/** Tells all gateways' counts of rows; the same batch again counts once. Rejects when it is not known whether they were told. */
export type TellShared = (batch: { batch: string; rows: readonly TallyRow[] }) => Promise<void>;

const flushMs = 1000;

/**
 * What experiments count, by client: gathered here and kept each second, in a file of this machine and, where gateways share a
 * store, there. What cannot be kept is tried again; a crash loses a second.
 */
export class Trials {
  readonly #log: Log;
  readonly #shared: () => TellShared | null;
  #file: { readonly path: string; readonly tally: TallyFile } | null = null;
  readonly #forFile = new Gathered();
  readonly #forShared = new Gathered();
  #batch: { readonly batch: string; readonly rows: readonly TallyRow[] } | null = null;
  #telling: Promise<void> | null = null;
  #flushedAt = -Infinity;
  #failing = false;

  constructor(log: Log, shared: () => TellShared | null) {
    this.#log = log;
    this.#shared = shared;
  }

  /** Keeps counts in that file from now on; null: in none. */
  async keepIn(path: string | null): Promise<void> {
    if (this.#file?.path === path || (path === null && !this.#file)) return;
    this.#flush();
    this.#file?.tally.close();
    this.#file = null;
    if (path === null) return;
    try {
      this.#file = { path, tally: await openTallyFile(path) };
    } catch (error) {
      this.#log.error('Experiments are not kept: their file cannot be used.', {
        file: path,
        reason: String(error),
      });
    }
  }

  /** Takes note of a request that has ended. */
  note(trial: Trial, ended: { readonly status: number; readonly seconds: number }): void {
    this.#add(trial, dealtPoint);
    const point = pointOf(trial, ended);
    if (point !== null) this.#add(trial, point);
  }

  /** To be called at every tick. */
  tick(now: number): void {
    if (now - this.#flushedAt < flushMs) return;
    this.#flushedAt = now;
    this.#flush();
  }

  /** What is under way is told first, then the rest. */
  async close(): Promise<void> {
    this.#write();
    this.#file?.tally.close();
    await this.#telling;
    await this.#tell();
  }

  #add({ experiment, measure, deployment, client }: Trial, point: string): void {
    const row = { experiment, measure, deployment, client, point, count: 1 };
    if (this.#file) this.#forFile.add(row);
    if (this.#shared()) this.#forShared.add(row);
  }

  #flush(): void {
    this.#write();
    void this.#tell();
  }

  #write(): void {
    const rows = this.#forFile.take();
    if (rows.length === 0) return;
    try {
      this.#file?.tally.add(rows);
      this.#failing = false;
    } catch (error) {
      for (const row of rows) this.#forFile.add(row);
      // Told once, since it comes back each second.
      if (!this.#failing) this.#log.error('Experiments cannot be written.', { reason: String(error) });
      this.#failing = true;
    }
  }

  /** One batch at a time. */
  #tell(): Promise<void> {
    return (this.#telling ??= this.#tellBatch().finally(() => (this.#telling = null)));
  }

  async #tellBatch(): Promise<void> {
    const shared = this.#shared();
    if (!shared) return;
    if (!this.#batch) {
      const rows = this.#forShared.take();
      if (rows.length === 0) return;
      this.#batch = { batch: randomUUID(), rows };
    }
    try {
      await shared(this.#batch);
      this.#batch = null;
    } catch {
      // The same batch is told again: whoever has it counts it once.
    }
  }
}

/** Null: it says nothing of the arm, as one that the client broke off or asked wrongly. */
function pointOf(trial: Trial, { status, seconds }: { status: number; seconds: number }): string | null {
  const bounds = boundsOf(trial.measure);
  if (!bounds) return status >= 500 ? errorPoints[1] : status < 400 ? errorPoints[0] : null;
  const value = trial.measure === 'e2e' ? seconds : trial.measure === 'tpot' ? trial.tpot : trial.ttft;
  return status >= 400 || value === null ? null : bucketOf(value, bounds);
}

/** Sums of rows that are alike. */
class Gathered {
  readonly #rows = new Map<string, TallyRow>();

  add(row: TallyRow): void {
    const key = JSON.stringify([row.experiment, row.measure, row.deployment, row.client, row.point]);
    this.#rows.set(key, { ...row, count: row.count + (this.#rows.get(key)?.count ?? 0) });
  }

  take(): TallyRow[] {
    const rows = [...this.#rows.values()];
    this.#rows.clear();
    return rows;
  }
}
