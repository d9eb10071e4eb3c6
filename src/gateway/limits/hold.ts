import type { Endpoint } from '../../domain/endpoints.ts';
import type { Quotas } from '../../domain/gateway-config.ts';
import type { Caller } from '../front/caller.ts';
import type { Usage } from '../reply/usage.ts';
import { settle } from './book.ts';
import type { Charge } from './book.ts';
import type { Amounts, Subject } from './bounds.ts';
import type { Estimate } from './estimate.ts';
import type { SharedBook } from './shared-book.ts';
import type { SharedCrowds } from './shared-crowds.ts';
import { answerLength, crowdOf, leaveCrowd } from './memory.ts';
import type { LimitsMemory } from './memory.ts';

interface Arm {
  readonly deployment: { readonly name: string };
}

/** What a request wants, before it is known what it takes. */
export interface Demand {
  readonly caller: Caller;
  /** Name of the route; of an alias the one that it stands for. */
  readonly model: string;
  /** Who may serve it; where it has no price of its own, theirs counts. */
  readonly arms?: readonly Arm[];
  readonly endpoint: Pick<Endpoint, 'operation' | 'body'>;
  readonly body: Buffer;
  /** Bound on each answer that the client set; null: none. */
  readonly maxTokens: number | null;
  /** How many answers it asks for. */
  readonly answers: number;
}

/** What an admitted request holds. */
export interface Reservation {
  /** For the reply: what its limits still allow, as header lines of names and numbers, each with its end. */
  readonly lines: string;
  /**
   * Puts what was really used in place of the estimate, where null stands for "as estimated"; without usage nothing was
   * served, and all is given back. Only the first call counts. `deployment`: who served it.
   */
  readonly settle: (usage: Usage | null, deployment?: string | null) => void;
}

export interface LimitsContext {
  readonly memory: LimitsMemory;
  /** Milliseconds since 1970: days and months are the calendar's. */
  readonly wallMs: () => number;
  /** Monotonic milliseconds, for how long requests take: wall time leaps where it is corrected. */
  readonly now: () => number;
  readonly random: () => number;
  /** What all gateways count together; null: this one is alone. */
  readonly shared: { readonly book: SharedBook; readonly crowds: SharedCrowds } | null;
}

interface HeldFor {
  readonly quotas: Quotas;
  readonly context: LimitsContext;
  readonly demand: Pick<Demand, 'caller' | 'model' | 'arms' | 'answers'>;
  readonly guess: Estimate;
  readonly subjects: readonly Subject[];
  /** Monotonic time of the admission. */
  readonly since: number;
}

/** One admitted request: held → settled. */
export class Hold implements Reservation {
  lines: string;
  readonly #for: HeldFor;
  readonly #charge: Charge;
  #shared: Charge | null = null;
  #open = true;

  constructor(heldFor: HeldFor, charge: Charge, lines: string) {
    this.#for = heldFor;
    this.#charge = charge;
    this.lines = lines;
    for (const one of heldFor.subjects) crowdOf(heldFor.context.memory, one).underWay += 1;
  }

  /** What was charged. */
  get amounts(): Amounts {
    return this.#charge.amounts;
  }

  /** A part of that is an answer, whose length its client can bound. */
  get answers(): boolean {
    return this.#for.guess.output > 0;
  }

  /** The shared book has charged it too; `lines` tell what that one still allows. */
  share(charge: Charge, lines: string): void {
    this.#shared = charge;
    this.lines = lines;
  }

  settle(usage: Usage | null, deployment: string | null = null): void {
    if (!this.#open) return;
    this.#open = false;
    const { context, demand, guess, quotas, since, subjects } = this.#for;
    const { memory } = context;
    const now = context.wallMs();
    for (const one of subjects) leaveCrowd(crowdOf(memory, one), context.now() - since);
    const real = usage && { input: usage.input ?? guess.input, output: usage.output ?? guess.output };
    const amounts = real && amountsOf(quotas, demand, real, deployment);
    settle(memory.book, this.#charge, amounts, now);
    context.shared?.crowds.leave(subjects);
    if (this.#shared) context.shared?.book.settle(this.#shared, amounts, now);
    if (!real || !amounts) return;
    context.shared?.book.note(this.#charge.bounds, amounts, now);
    if (usage.output !== null && guess.output > 0)
      answerLength(memory, demand.model).observe(usage.output / demand.answers);
    memory.ledger?.add({ key: demand.caller.id, model: demand.model }, { ...real, usd: amounts.usd }, now);
  }
}

/** What a request of so many tokens costs: at its model's own price, else at that of who served it, or of the dearest who may. */
export function amountsOf(
  { prices }: Quotas,
  { model, arms = [] }: Pick<Demand, 'model' | 'arms'>,
  { input, output }: Estimate,
  deployment: string | null = null,
): Amounts {
  function usdAt(name: string): number {
    const price = prices[name];
    return price ? (input * price.input + output * price.output) / 1e6 : 0;
  }
  const names = arms.map((arm) => arm.deployment.name);
  const served = deployment !== null && names.includes(deployment) ? [deployment] : names;
  const usd = prices[model] ? usdAt(model) : Math.max(0, ...served.map(usdAt));
  return { requests: 1, tokens: input + output, usd };
}
