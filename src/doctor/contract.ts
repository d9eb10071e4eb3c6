import type { ClusterPlace } from '../domain/host-access.ts';
import type { World } from '../io/world.ts';

/** What the fleet file wants of one machine; without a file nothing is wanted, and all is looked at. */
export interface Wants {
  /** Kinds of targets. */
  readonly targets: readonly string[];
  /** GPUs that its engines ask for at once; of those on demand, which may take turns, those of the one that asks for most. */
  readonly gpus: number;
  /** Programs of engines that run without a container. */
  readonly programs: readonly { readonly binary: string; readonly deployment: string }[];
  readonly ports: readonly { readonly port: number; readonly address: string; readonly what: string }[];
  /** Where engines get their ports that name none. */
  readonly pool: { readonly from: number; readonly to: number };
  /** Model files that lie on it. */
  readonly models: readonly string[];
  /** Engines there are given files of the machine that berth runs on. */
  readonly givesFiles: boolean;
  /** An engine that is to hold its memory against swapping. */
  readonly mlock: boolean;
  /** The host is a cluster that is reached from this machine; null: it is a machine. */
  readonly cluster: ClusterPlace | null;
}

/** "absent": it is not there, and nothing wants it. */
export const states = ['good', 'absent', 'info', 'warning', 'critical'] as const;
export type State = (typeof states)[number];

export interface Verdict {
  readonly state: State;
  /** One sentence. */
  readonly message: string;
  /** The very facts it rests on. */
  readonly evidence: readonly string[];
  /** What to do, a command where one does it; null where nothing is to be done. */
  readonly cure: string | null;
}

/** Something of a machine that engines depend on. */
export interface Check<Kind extends string = string> {
  readonly kind: Kind;
  readonly title: string;
  /** It looks at clusters too; the others look at machines alone. */
  readonly cluster?: true;
  readonly look: (world: World, wants: Wants) => Promise<readonly Verdict[]>;
}

/** A check whose facts are gathered by what acts, and judged by what is pure. */
export interface JudgedCheck<Kind extends string, Facts> extends Check<Kind> {
  readonly judge: (facts: Facts, wants: Wants) => readonly Verdict[];
}

export function defineCheck<Kind extends string, Facts>(check: {
  kind: Kind;
  title: string;
  cluster?: true;
  gather: (world: World, wants: Wants) => Promise<Facts>;
  judge: (facts: Facts, wants: Wants) => readonly Verdict[];
}): JudgedCheck<Kind, Facts> {
  return {
    kind: check.kind,
    title: check.title,
    ...(check.cluster && { cluster: check.cluster }),
    judge: check.judge,
    look: async (world, wants) => check.judge(await check.gather(world, wants), wants),
  };
}

export function good(message: string, evidence: readonly string[] = []): Verdict {
  return { state: 'good', message, evidence, cure: null };
}

export function absent(message: string): Verdict {
  return { state: 'absent', message, evidence: [], cure: null };
}

export function bad(
  state: 'info' | 'warning' | 'critical',
  message: string,
  { evidence = [], cure }: { evidence?: readonly string[]; cure: string },
): Verdict {
  return { state, message, evidence, cure };
}
