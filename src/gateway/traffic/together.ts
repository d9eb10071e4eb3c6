import { parseJson } from '../../domain/json.ts';
import { subjectOf, TrafficWish, WishAnswer } from '../../domain/traffic-wish.ts';
import { exchangeMs, goneMs } from '../limits/shared-wishes.ts';
import type { Exchanged, SharedWishes } from '../limits/shared-wishes.ts';

export interface TogetherOptions {
  /** Null: this gateway is alone. */
  readonly link: () => SharedWishes | null;
  /** Does here what another gateway asks for; `leftMs`: until its wish is over. */
  readonly obey: (wish: TrafficWish, leftMs: number, id: string) => Promise<WishAnswer>;
  /** Monotonic milliseconds now. */
  readonly now: () => number;
}

/** What came of asking others. */
export interface Told {
  /** Requests that they still have under way at the engine. */
  readonly left: number;
  /** Who was not reached or did not do it, as a sentence; absent: all have. */
  readonly untold?: string;
}

/** What others have to answer until nobody waits for them longer. */
interface Asking {
  readonly look: (exchanged: Exchanged | null) => void;
}

/** Beyond the time that a wish itself takes, for the way there and back. */
const answerMs = 2 * goneMs;

/** Has all gateways of a fleet do what one is asked for. States of a wish of another: seen → being done → answered. */
export class Together {
  readonly #options: TogetherOptions;
  /** Wishes of others that were seen, as long as they are in force. */
  #seen = new Set<string>();
  readonly #answers = new Map<string, string>();
  readonly #asking = new Set<Asking>();
  #busy = false;
  #exchangedAt = -Infinity;
  /** Others that were there at the latest exchange. */
  others = 0;

  constructor(options: TogetherOptions) {
    this.#options = options;
  }

  /** To be called at every tick. */
  tick(): void {
    const link = this.#options.link();
    const at = this.#options.now();
    const hurried = this.#asking.size > 0 || this.#answers.size > 0;
    if (!link || this.#busy || (!hurried && at - this.#exchangedAt < exchangeMs)) return;
    this.#busy = true;
    this.#exchangedAt = at;
    void this.#exchange(link).finally(() => (this.#busy = false));
  }

  /**
   * Resolves once all others that are there have done it, or when `patienceMs` and some seconds are over. Whoever comes
   * back later finds the wish as long as `forMs` is not over.
   */
  async ask(wish: TrafficWish, { forMs, patienceMs }: { forMs: number; patienceMs: number }): Promise<Told> {
    const link = this.#options.link();
    if (!link) return { left: 0 };
    const id = await link.post({ subject: subjectOf(wish), text: JSON.stringify(wish), forMs });
    if (id === null) return unreached;
    let heardAt = this.#options.now();
    const until = heardAt + patienceMs + answerMs;
    return new Promise((resolve) => {
      const asking: Asking = {
        look: (exchanged) => {
          const at = this.#options.now();
          const heard = exchanged && heardOf(exchanged, id);
          if (heard) heardAt = at;
          if (heard ? heard.silent.length > 0 && at < until : at - heardAt < goneMs) return;
          this.#asking.delete(asking);
          resolve(heard ? outcomeOf(heard) : unreached);
        },
      };
      this.#asking.add(asking);
    });
  }

  async #exchange(link: SharedWishes): Promise<void> {
    const told = new Map(this.#answers);
    // Those that ask from here on may have a wish that this exchange does not know yet; it only makes them wait.
    const asking = [...this.#asking];
    const exchanged = await link.exchange(told);
    if (exchanged) {
      for (const [wish, answer] of told) if (this.#answers.get(wish) === answer) this.#answers.delete(wish);
      this.others = exchanged.gateways.length;
      this.#take(exchanged, link.gateway);
    }
    for (const one of asking) one.look(exchanged);
  }

  #take({ wishes }: Exchanged, own: string): void {
    const foreign = wishes.filter(({ from }) => from !== own);
    for (const { id, text, leftMs } of foreign) {
      if (this.#seen.has(id)) continue;
      void this.#obey(id, text, leftMs).then((answer) => this.#answers.set(id, JSON.stringify(answer)));
    }
    const inForce = new Set(wishes.map(({ id }) => id));
    this.#seen = new Set([
      ...[...this.#seen].filter((id) => inForce.has(id)),
      ...foreign.map(({ id }) => id),
    ]);
  }

  async #obey(id: string, text: string, leftMs: number): Promise<WishAnswer> {
    const wish = TrafficWish.safeParse(parseJson(text)).data;
    if (!wish) return { left: 0, fault: 'it does not know what is asked for' };
    try {
      return await this.#options.obey(wish, leftMs, id);
    } catch (error) {
      return { left: 0, fault: error instanceof Error ? error.message : String(error) };
    }
  }
}

const unreached: Told = {
  left: 0,
  untold: 'It is not known whether other gateways did it: the shared store cannot be reached.',
};

interface Heard {
  readonly left: number;
  /** That are there and have not answered. */
  readonly silent: readonly string[];
  readonly faults: readonly string[];
}

/** What others have answered to a wish so far. Pure. */
function heardOf({ gateways, answers, wishes }: Exchanged, id: string): Heard {
  const own = answers.filter(({ wish }) => wish === id);
  const heard = own.flatMap(({ gateway, text }) => {
    const answer = WishAnswer.safeParse(parseJson(text)).data;
    return answer ? [{ gateway, ...answer }] : [];
  });
  return {
    left: heard.reduce((sum, { left }) => sum + left, 0),
    // One that a later wish has taken the place of gets no more answers.
    silent: wishes.some((one) => one.id === id)
      ? gateways.filter((name) => !heard.some(({ gateway }) => gateway === name))
      : [],
    faults: heard.flatMap(({ gateway, fault }) => (fault === undefined ? [] : [`${gateway}: ${fault}`])),
  };
}

function outcomeOf({ left, silent, faults }: Heard): Told {
  const untold = [
    ...(silent.length > 0 ? [`Gateways that have not answered: ${silent.join(', ')}.`] : []),
    ...(faults.length > 0 ? [`Gateways that could not do it: ${faults.join('; ')}.`] : []),
  ];
  return untold.length > 0 ? { left, untold: untold.join(' ') } : { left };
}
