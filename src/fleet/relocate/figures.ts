import { machineOf } from '../../domain/host-access.ts';
import type { ObjectId } from '../../domain/instance.ts';
import type { Action, Plan } from '../../domain/plan.ts';
import { inOrder, successorOf } from '../plan/order.ts';
import type { Change } from '../plan/order.ts';

/** What a plan costs and frees on one host. Memory in bytes; null: not known, never 0. */
export interface HostFigures {
  readonly host: string;
  /** Left there now; null also for a cluster, which places by its own reckoning. */
  readonly freeBytes: number | null;
  readonly takesBytes: number | null;
  readonly freesBytes: number | null;
  /** The most that it takes beyond what is taken now while it is carried out. */
  readonly peakBytes: number | null;
  readonly gpus: { readonly takes: number; readonly frees: number };
  readonly ports: { readonly takes: readonly number[]; readonly frees: readonly number[] };
}

/**
 * What becomes of the requests of a deployment at the gateway: `go on`, since the new one serves before the old one ends · `wait`
 * while the new one starts, where the old one has to make room first · `end`, since nothing serves it afterwards · `begin`, where nothing did before.
 */
export interface RequestsMeanwhile {
  readonly deployment: string;
  readonly requests: 'go on' | 'wait' | 'end' | 'begin';
}

/** One step of carrying a plan out, with the memory of its host. Bytes; null: not known, never 0. */
export interface MemoryStep {
  readonly do: Change['do'];
  readonly deployment: string;
  readonly replica: number;
  readonly host: string;
  /** Taken there beyond what is taken now, while this step is done and after it. */
  readonly meanwhileBytes: number | null;
  readonly afterBytes: number | null;
  /** Free there now. */
  readonly freeBytes: number | null;
}

export interface Known {
  readonly rssOf: (object: ObjectId) => number | null;
  readonly gpusOf: (object: ObjectId) => number;
  /** Size of the model that an engine opens, on its host; 0: not known. */
  readonly modelBytes: (host: string, path: string) => number;
  readonly freeBytes: (host: string) => number | null;
}

/** Pure. */
export function figuresOf(plan: Plan, known: Known): HostFigures[] {
  const hosts = [...new Set(plan.actions.map((one) => one.host))];
  return hosts.flatMap((host) => {
    const there = inOrder(plan).filter(
      (one) => machineOf(plan.hosts[one.host]) === machineOf(plan.hosts[host]),
    );
    if (there.length === 0 || there[0]?.host !== host) return [];
    const takes = there.map((one) => needOf(plan, one, known));
    const frees = there.map((one) => freedBy(one, known));
    return [
      {
        host,
        freeBytes: known.freeBytes(host),
        takesBytes: sum(takes),
        freesBytes: sum(frees),
        peakBytes: peakOf(there, takes, frees),
        gpus: {
          takes: there.reduce((all, one) => all + (one.do === 'stop' ? 0 : one.wanted.spec.devices.count), 0),
          frees: there.reduce(
            (all, one) => all + (one.do === 'start' ? 0 : known.gpusOf(one.running.object)),
            0,
          ),
        },
        ports: portsOf(there),
      },
    ];
  });
}

function portsOf(there: readonly Change[]): HostFigures['ports'] {
  const takes = there.flatMap((one) => (one.do === 'stop' ? [] : [one.wanted.port]));
  const frees = there.flatMap((one) => (one.do === 'start' ? [] : [one.running.port]));
  return {
    takes: takes.filter((port) => !frees.includes(port)),
    frees: frees.filter((port) => !takes.includes(port)),
  };
}

/** What it holds where it runs now, or its model's file: the larger, since not all of a file need be resident. */
function needOf(plan: Plan, action: Change, known: Known): number | null {
  if (action.do === 'stop') return 0;
  const before = action.do === 'replace' ? action.running : leavingFor(plan, action);
  const { model } = action.wanted.spec;
  const held = before ? (known.rssOf(before.object) ?? 0) : 0;
  const bytes = Math.max(held, model === null ? 0 : known.modelBytes(action.host, model));
  return bytes === 0 ? null : bytes;
}

function leavingFor({ actions }: Plan, start: Action): Extract<Action, { do: 'stop' }>['running'] | null {
  const found = actions.find((one) => one.do === 'stop' && successorOf(actions, one) === start);
  return found?.do === 'stop' ? found.running : null;
}

function sum(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((all, one) => (all === null || one === null ? null : all + one), 0);
}

function peakOf(
  there: readonly Change[],
  takes: readonly (number | null)[],
  frees: readonly (number | null)[],
): number | null {
  const held = heldBy(there, takes, frees);
  return held.reduce<number | null>(
    (peak, { meanwhile }) => (peak === null || meanwhile === null ? null : Math.max(peak, meanwhile)),
    0,
  );
}

/** Step by step, in the order in which it is carried out. */
function heldBy(
  there: readonly Change[],
  takes: readonly (number | null)[],
  frees: readonly (number | null)[],
): { meanwhile: number | null; after: number | null }[] {
  let now: number | null = 0;
  return there.map((action, index) => {
    const need = takes[index] ?? null;
    const freed = frees[index] ?? null;
    const inPlace = action.do === 'replace' && !action.beside;
    const before: number | null = now;
    now = before === null || need === null || freed === null ? null : before + need - freed;
    if (before === null || need === null) return { meanwhile: null, after: null };
    return { meanwhile: inPlace ? now : before + need, after: now };
  });
}

/** The memory at every step of a plan. Pure. */
export function memorySteps(plan: Plan, known: Known): MemoryStep[] {
  const order = inOrder(plan);
  const machines = [...new Set(order.map((one) => machineOf(plan.hosts[one.host])))];
  const held = new Map<Change, { meanwhile: number | null; after: number | null }>();
  for (const machine of machines) {
    const there = order.filter((one) => machineOf(plan.hosts[one.host]) === machine);
    const takes = there.map((one) => needOf(plan, one, known));
    const frees = there.map((one) => freedBy(one, known));
    for (const [index, one] of heldBy(there, takes, frees).entries()) {
      const action = there[index];
      if (action) held.set(action, one);
    }
  }
  return order.map((action) => ({
    do: action.do,
    deployment: action.deployment,
    replica: action.replica,
    host: action.host,
    meanwhileBytes: held.get(action)?.meanwhile ?? null,
    afterBytes: held.get(action)?.after ?? null,
    freeBytes: known.freeBytes(action.host),
  }));
}

function freedBy(action: Change, known: Known): number | null {
  return action.do === 'start' ? 0 : known.rssOf(action.running.object);
}

/** Pure. */
export function requestsMeanwhile({ actions, hosts }: Plan): RequestsMeanwhile[] {
  const names = [...new Set(actions.filter((one) => one.do !== 'keep').map((one) => one.deployment))];
  const order = inOrder({ actions, hosts });
  return names.map((deployment) => {
    const own = actions.filter((one) => one.deployment === deployment);
    return { deployment, requests: fateOf(own, order) };
  });
}

function fateOf(own: readonly Action[], order: readonly Change[]): RequestsMeanwhile['requests'] {
  if (own.every((one) => one.do === 'start')) return 'begin';
  const replaced = own.filter((one) => one.do === 'replace');
  if (replaced.length > 1 || own.some((one) => one.do === 'keep' || (one.do === 'replace' && one.beside)))
    return 'go on';
  if (replaced.length === 1) return 'wait';
  const firstStart = order.findIndex((one) => own.includes(one) && one.do === 'start');
  const firstEnd = order.findIndex((one) => own.includes(one) && one.do !== 'start');
  if (firstStart < 0) return 'end';
  return firstStart < firstEnd ? 'go on' : 'wait';
}
