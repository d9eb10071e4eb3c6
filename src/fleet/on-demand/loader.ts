import { BerthError } from '../../domain/errors/berth-error.ts';
import type { LoadNews } from '../../domain/gateway-control.ts';
import type { Mark } from '../../domain/instance.ts';
import type { DemandPhase } from '../../domain/on-demand.ts';
import type { World } from '../../io/world.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { RunningEngine } from '../gateway/running-engine.ts';
import type { LoadTimes } from './load-times.ts';
import { fetchFirst } from './fetch-first.ts';
import type { FetchModel } from './fetch-first.ts';
import { startMissing, stopReplicas } from './start-missing.ts';
import { startReason } from './start-reason.ts';

export interface LoaderPorts {
  readonly loaded: () => LoadedFleet;
  /** Those that run, or are started again. */
  readonly engines: () => readonly RunningEngine[];
  readonly tell: (news: LoadNews) => void;
  /** Something runs or is gone that was not so before: the gateway is to learn of it, now or as soon as it can. Does not reject. */
  readonly changed: () => Promise<void>;
  readonly onProgress: (line: string) => void;
  readonly fetch: FetchModel;
  /** Others are being fetched, or have failed, than before. */
  readonly noted: () => Promise<void>;
  /** What was fetched lies there from now on. */
  readonly fetched: (source: string, path: string) => void;
  readonly times: LoadTimes;
}

/** Between tries to end what did not end; each is twice as long as the one before. */
const firstWaitMs = 1_000;
const longestWaitMs = 60_000;

interface Entry {
  readonly name: string;
  phase: DemandPhase;
  /** Why its latest fetch or start came to nothing; null once one did not. */
  failure: string | null;
  abort: AbortController;
  work: Promise<void>;
}

/**
 * Fetches, starts and stops models on demand: gone → starting → running → ending → gone, and gone → fetching → gone before that. What is asked of one model is done one after the other;
 * asking again for what is under way does nothing.
 */
export class Loader {
  readonly #world: World;
  readonly #ports: LoaderPorts;
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new AbortController();

  constructor(world: World, ports: LoaderPorts) {
    this.#world = world;
    this.#ports = ports;
  }

  phaseOf(deployment: string): DemandPhase {
    return this.#entries.get(deployment)?.phase ?? 'gone';
  }

  /** Those whose models are being fetched. */
  get fetching(): string[] {
    return [...this.#entries.values()].filter(({ phase }) => phase === 'fetching').map(({ name }) => name);
  }

  /** Those whose latest fetch or start came to nothing, and why. */
  get failed(): Record<string, string> {
    return Object.fromEntries(
      [...this.#entries.values()].flatMap(({ name, failure }) => (failure === null ? [] : [[name, failure]])),
    );
  }

  /** Told of its end with `fetch-ended`, or with `load-failed`. */
  fetch(deployment: string): void {
    const phase = this.phaseOf(deployment);
    if (phase === 'fetching' || phase === 'starting' || phase === 'running') return;
    this.#enqueue(deployment, 'fetching', (entry) => this.#fetch(entry));
  }

  load(deployment: string): void {
    const phase = this.phaseOf(deployment);
    if (phase === 'starting' || phase === 'running') return;
    this.#enqueue(deployment, 'starting', (entry) => this.#start(entry));
  }

  /** A fetch or a load under way is given up; what came of a fetch is kept for the next. */
  unload(deployment: string): void {
    if (this.phaseOf(deployment) === 'ending') return;
    this.#entries.get(deployment)?.abort.abort();
    this.#enqueue(deployment, 'ending', (entry) => this.#end(entry));
  }

  /** Takes over what runs already; one that is still starting is waited for. */
  adopt(marks: readonly Mark[]): void {
    const running = new Set(marks.map((one) => one.deployment));
    for (const { name, onDemand } of this.#ports.loaded().deployments) {
      const entry = this.#entries.get(name);
      if (entry?.phase === 'running' && !running.has(name)) entry.phase = 'gone';
      else if (onDemand && running.has(name) && this.phaseOf(name) === 'gone') this.load(name);
    }
  }

  /** Gives up what is being loaded or is to be ended once more, and waits for what is under way; nothing is begun after it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const entry of this.#entries.values()) entry.abort.abort();
    await Promise.all([...this.#entries.values()].map((entry) => entry.work));
  }

  #enqueue(name: string, phase: DemandPhase, act: (entry: Entry) => Promise<void>): void {
    const entry = this.#entries.get(name) ?? {
      name,
      phase,
      failure: null,
      abort: new AbortController(),
      work: Promise.resolve(),
    };
    this.#entries.set(name, entry);
    entry.phase = phase;
    const { log } = this.#world;
    entry.work = entry.work
      .then(() => act(entry))
      .catch((error: unknown) => {
        log.error('A model on demand could not be looked after.', { name, reason: String(error) });
      });
  }

  #start(entry: Entry): Promise<void> {
    return this.#attempt(entry, 'starting', () => this.#bringUp(entry));
  }

  #fetch(entry: Entry): Promise<void> {
    return this.#attempt(entry, 'fetching', async () => {
      await this.#ports.noted();
      try {
        await this.#fetchFirst(entry);
        entry.failure = null;
      } finally {
        if (entry.phase === 'fetching') entry.phase = 'gone';
        await this.#ports.noted();
      }
      // What the gateway decides next it decides by the size that is known now.
      await this.#ports.changed();
      if (!entry.abort.signal.aborted) this.#ports.tell({ do: 'fetch-ended', deployment: entry.name });
    });
  }

  /** What comes of it in vain is told, unless it was given up. */
  async #attempt(entry: Entry, phase: DemandPhase, act: () => Promise<void>): Promise<void> {
    if (entry.phase !== phase || this.#stopping.signal.aborted) return;
    entry.abort = new AbortController();
    try {
      await act();
    } catch (error) {
      if (entry.phase === phase) entry.phase = 'gone';
      await this.#ports.changed();
      if (entry.abort.signal.aborted) return;
      const message = error instanceof BerthError ? error.message : String(error);
      this.#ports.onProgress(`berth: ${message}`);
      entry.failure = message;
      await this.#ports.noted();
      this.#ports.tell({ do: 'load-failed', deployment: entry.name, reason: startReason(error) });
    }
  }

  async #bringUp(entry: Entry): Promise<void> {
    const { name: deployment, abort } = entry;
    const { clock } = this.#world;
    const { engines, loaded, noted, onProgress, tell, times } = this.#ports;
    // One that is taken over runs already, and its file may be gone.
    await this.#fetchFirst(entry);
    abort.signal.throwIfAborted();
    // How long it takes to load says nothing of how long it was fetched.
    const since = clock.now();
    onProgress(`Loading ${deployment}`);
    const started = await startMissing(this.#world, {
      loaded: loaded(),
      deployment,
      engines,
      signal: abort.signal,
      onProgress,
      onPart: (part) => tell({ do: 'load-progress', deployment, part }),
    });
    const ms = clock.now() - since;
    if (entry.phase === 'starting') entry.phase = 'running';
    const failed = entry.failure !== null;
    entry.failure = null;
    if (failed) await noted();
    // One that ran already says nothing about how long it takes.
    if (started) await times.learn(deployment, ms);
    onProgress(`${deployment} is loaded (${(ms / 1000).toFixed(1)} s)`);
    await this.#ports.changed();
  }

  async #fetchFirst({ name, abort: { signal } }: Entry): Promise<void> {
    const { loaded, fetched, tell } = this.#ports;
    const had = new Set<string>();
    for (
      let wanted = fetchFirst(loaded(), name);
      wanted !== null && !had.has(wanted.source);
      wanted = fetchFirst(loaded(), name)
    ) {
      const path = await this.#ports.fetch(wanted, {
        signal,
        onPart: (part) => tell({ do: 'load-progress', deployment: name, part }),
      });
      had.add(wanted.source);
      fetched(wanted.source, path);
    }
  }

  async #end(entry: Entry): Promise<void> {
    const { onProgress, changed } = this.#ports;
    if (this.#stopping.signal.aborted) return;
    entry.abort = new AbortController();
    if (!(await this.#untilEnded(entry))) return;
    if (entry.phase === 'ending') entry.phase = 'gone';
    onProgress(`${entry.name} is unloaded`);
    await changed();
  }

  /**
   * Tries until its engines have ended: what could not be ended takes memory that others wait for, and nobody asks again for what is
   * on its way out. False when that was given up.
   */
  async #untilEnded({ name, abort }: Entry): Promise<boolean> {
    const { loaded, onProgress } = this.#ports;
    const signal = AbortSignal.any([this.#stopping.signal, abort.signal]);
    let told = '';
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      try {
        await stopReplicas(this.#world, { loaded: loaded(), deployment: name, onProgress });
        return true;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== told)
          this.#world.log.error('A model on demand cannot be unloaded, which is tried again.', {
            name,
            reason,
          });
        told = reason;
      }
      await this.#world.clock.sleep(waitMs, signal).catch(() => {});
      if (signal.aborted) return false;
    }
  }
}
