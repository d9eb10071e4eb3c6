import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Takeover } from '../../domain/takeover.ts';
import type { World } from '../../io/world.ts';
import type { Ease, Handover } from '../apply/handover.ts';
import type { Traffic } from '../apply/traffic.ts';
import { probe, probedAt } from './probes.ts';
import type { Probed } from './probes.ts';
import { enough, isLook, msText, none, requestsOf, shares, together, worse, worseSoFar } from './verdict.ts';
import type { Comparison, Counts } from './verdict.ts';

/** What came of one step. Share 0: before the newer one was given any. */
export interface ShiftStep {
  readonly deployment: string;
  readonly replica: number;
  readonly share: number;
  readonly seconds: number;
  readonly newer: Counts;
  readonly older: Counts;
  /** Berth's own questions, where nobody else asked anything. */
  readonly probed: boolean;
  /** Why it was the last one, as a sentence; null: it went on. */
  readonly worse: string | null;
}

export interface EaseOptions {
  readonly world: World;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
  /** The longest that a step waits for requests. */
  readonly stepMs: number;
}

const pollMs = 250;
/** The longest that is waited for a first request before the first step. */
const idleMs = 5_000;
const warmQuestions = 4;
const probes = 12;

/** The steps of all handovers so far, and what makes them. */
export function easing(options: EaseOptions): { readonly ease: Ease; readonly steps: ShiftStep[] } {
  const steps: ShiftStep[] = [];
  return {
    steps,
    ease: async (traffic, handover) => {
      const run = new Easing({ ...options, traffic, handover, steps });
      try {
        await run.warm();
        if (await run.begin()) await run.all();
      } catch (error) {
        await run.takeBack();
        throw error;
      }
    },
  };
}

interface Context extends EaseOptions {
  readonly traffic: Traffic;
  readonly handover: Handover;
  readonly steps: ShiftStep[];
}

class Easing {
  readonly #context: Context;
  #newer: Probed | null = null;
  #older: Probed | null = null;
  readonly #done: ShiftStep[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  /** The first answers of an engine are its slowest. */
  async warm(): Promise<void> {
    const { world, handover, signal, onProgress } = this.#context;
    const { plan, deployment, replica, from, to } = handover;
    this.#newer = await probedAt(world, plan, { host: to.host, deployment, replica, port: to.port });
    this.#older = await probedAt(world, plan, {
      host: from.host,
      deployment,
      replica,
      port: from.running.port,
    });
    const asked = this.#newer && (await probe(this.#newer, { times: warmQuestions, signal }));
    if (!asked) return;
    const [first, ...others] = asked.ttftMs;
    const last = others.at(-1);
    if (first !== undefined && last !== undefined)
      onProgress(`${deployment} is warm: its first token took ${msText(first)}, the last ${msText(last)}`);
  }

  /** False where no gateway tells how requests go: then nothing can be shifted in steps. */
  async begin(): Promise<boolean> {
    const { traffic, handover, onProgress } = this.#context;
    await this.#share(0);
    const { sides } = await traffic({ do: 'sides', deployment: handover.deployment });
    if (sides) return true;
    onProgress(
      `No gateway of this fleet runs here that could shift requests of ${handover.deployment} in steps`,
    );
    this.#tell(await this.#ask(0));
    return false;
  }

  async all(): Promise<void> {
    const { handover, onProgress, stepMs } = this.#context;
    const before = await this.#watch(0, Math.min(idleMs, stepMs));
    const idle = requestsOf(before.older) === 0;
    if (idle)
      onProgress(`Nobody asks ${handover.deployment} for anything: it is berth's own questions that decide`);
    for (const share of shares) {
      await this.#share(share);
      this.#tell(await this.#watch(share, idle ? pollMs : stepMs));
      // Nobody came by whom it could be judged.
      if (requestsOf(this.#done.at(-1)?.newer ?? none) === 0) this.#tell(await this.#ask(share));
    }
  }

  /** Throws MOVE_WORSE. */
  #tell(step: ShiftStep | null): void {
    const { onProgress, handover } = this.#context;
    if (!step) return;
    if (step.probed || requestsOf(step.newer) > 0) onProgress(stepText(step));
    if (step.worse !== null)
      throw new BerthError('MOVE_WORSE', { deployment: handover.deployment, evidence: step.worse });
  }

  async #share(share: number): Promise<void> {
    const { traffic, handover } = this.#context;
    const { deployment, replica, port, machine } = handover.to;
    await traffic({
      do: 'shift',
      to: { deployment, replica, port, ...(machine === undefined ? {} : { machine }), share },
    });
  }

  /** Before the error is told: whoever asks is served as before, whatever is then done with the newer one. */
  async takeBack(): Promise<void> {
    const { traffic, handover, onProgress } = this.#context;
    const { deployment, replica, from } = handover;
    try {
      const { port } = from.running;
      await traffic({ do: 'shift', to: { deployment, replica, port, machine: from.machine } });
      onProgress(`All requests of ${deployment} are at the old one again`);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      onProgress(`berth: requests of ${deployment} could not be given back: ${error.message}`);
    }
  }

  /** Until the newer one had requests enough, or the time is over, or it is worse. Share 0 looks at the older one alone. */
  async #watch(share: number, boundMs: number): Promise<ShiftStep> {
    const { world, signal } = this.#context;
    const since = world.clock.now();
    let looked = none;
    for (;;) {
      const now = await this.#sides();
      const spent = world.clock.now() - since;
      const seen = requestsOf(share === 0 ? now.older : now.newer);
      const over = seen >= enough || spent >= boundMs;
      const looks = share > 0 && (over || isLook(now.newer, looked));
      if (looks) looked = now.newer;
      const found = looks ? worseSoFar(now, this.#before()) : null;
      if (over || found) return this.#note({ share, spent, ...now, probed: false, worse: found });
      await world.clock.sleep(pollMs, signal);
    }
  }

  /** By berth's own questions, those to both sides in turn; null where they cannot be asked. */
  async #ask(share: number): Promise<ShiftStep | null> {
    const { world, signal } = this.#context;
    const since = world.clock.now();
    const newer: Counts[] = [];
    const older: Counts[] = [];
    for (let at = 0; at < probes; at += 1)
      for (const [side, into] of [
        [this.#newer, newer],
        [this.#older, older],
      ] as const) {
        const counts = side && (await probe(side, { times: 1, signal }));
        if (!counts) return null;
        into.push(counts);
      }
    const now = { newer: together(newer), older: together(older) };
    return this.#note({
      share,
      spent: world.clock.now() - since,
      ...now,
      probed: true,
      worse: worse(now),
    });
  }

  async #sides(): Promise<Comparison> {
    const { traffic, handover } = this.#context;
    const { sides } = await traffic({ do: 'sides', deployment: handover.deployment });
    // The gateway was started again, or is gone: what it has seen is not known.
    if (!sides)
      throw new BerthError('GATEWAY_REFUSED', {
        reason: `it knows no second engine of ${handover.deployment}.`,
      });
    const { old: older, new: newer }: Takeover = sides;
    return { older, newer };
  }

  /** What the older one did in each step so far. */
  #before(): Counts[] {
    return this.#done.filter((one) => !one.probed).map((one) => one.older);
  }

  #note({
    spent,
    ...step
  }: Omit<ShiftStep, 'deployment' | 'replica' | 'seconds'> & { spent: number }): ShiftStep {
    const { deployment, replica } = this.#context.handover;
    const noted = { deployment, replica, ...step, seconds: Math.round(spent / 100) / 10 };
    this.#done.push(noted);
    this.#context.steps.push(noted);
    return noted;
  }
}

function stepText({ deployment, share, seconds, newer, older, probed, worse: why }: ShiftStep): string {
  const who = `${deployment}, ${share * 100} % at the new one`;
  const asked = probed ? "of berth's own questions" : 'requests';
  const end = why === null ? '' : ': it is worse';
  return `${who}: ${sideText(newer)} (old: ${sideText(older)}) ${asked} in ${seconds} s${end}`;
}

function sideText(counts: Counts): string {
  const sorted = counts.ttftMs.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  const time = middle === undefined ? '' : `, TTFT p50 ${msText(middle)}`;
  return `${counts.failed} of ${requestsOf(counts)} failed${time}`;
}
