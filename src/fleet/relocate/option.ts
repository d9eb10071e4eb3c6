import { BerthError } from '../../domain/errors/berth-error.ts';
import { machineOf } from '../../domain/host-access.ts';
import { objectKey } from '../../domain/instance.ts';
import { formatBytes } from '../../domain/format.ts';
import type { Action, Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { fleetInstances, instancesOf, observeFleet } from '../observe/observe.ts';
import { takerOf } from '../plan/order.ts';
import { freeMemory, modelSizes, preparePlan } from '../plan/prepare-plan.ts';
import { figuresOf, memorySteps, requestsMeanwhile } from './figures.ts';
import type { HostFigures, Known, MemoryStep, RequestsMeanwhile } from './figures.ts';

/** One way to have the fleet, beside others, with what it costs. */
export interface Option {
  readonly name: string;
  /** It is so already. */
  readonly now: boolean;
  /** Why it cannot be; empty where it can. */
  readonly refusals: readonly string[];
  /** What is worth knowing before one decides for it. */
  readonly notes: readonly string[];
  readonly hosts: readonly HostFigures[];
  readonly requests: readonly RequestsMeanwhile[];
  /** What is done one after the other, and the memory at each. */
  readonly steps: readonly MemoryStep[];
  /** Null where it cannot be. */
  readonly plan: Plan | null;
}

export interface OptionWishes {
  readonly name: string;
  readonly only: readonly string[];
  /** Hosts that must answer. */
  readonly hosts: readonly string[];
  readonly notes?: readonly string[];
  /** The fleet as it would be; rejects with why its file would not hold. */
  readonly load: () => Promise<LoadedFleet>;
}

/** Works out one option: its plan, and figures from that very plan. Changes nothing. */
export async function optionOf(world: World, wishes: OptionWishes): Promise<Option> {
  const { name, only, notes = [] } = wishes;
  try {
    const loaded = await wishes.load();
    const plan = await planOf(world, loaded, only);
    const known = await lookAround(world, loaded);
    const hosts = figuresOf(plan, known);
    const concerned = [...only, ...wishes.hosts];
    const critical = plan.findings.filter(
      (one) => one.severity === 'critical' && concerned.includes(one.object) && one.rule !== 'protected',
    );
    return {
      name,
      now: plan.actions.every((action) => action.do === 'keep'),
      refusals: critical.map((one) => one.message),
      notes: [
        ...notes,
        ...hosts.flatMap(shortNote),
        ...plan.actions.flatMap((one) => waitNote(plan.actions, one, known)),
      ],
      hosts,
      requests: requestsMeanwhile(plan),
      steps: memorySteps(plan, known),
      plan: critical.length > 0 ? null : plan,
    };
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    const refusals = [error.message];
    return { name, now: false, refusals, notes: [...notes], hosts: [], requests: [], steps: [], plan: null };
  }
}

/** A plan for these deployments; what the file has lost and does not run either needs none. */
export async function planOf(world: World, loaded: LoadedFleet, only: readonly string[]): Promise<Plan> {
  const running = (await fleetInstances(world, loaded)).map(({ mark }) => mark?.deployment);
  const known = only.filter(
    (name) => running.includes(name) || loaded.deployments.some((one) => one.name === name),
  );
  return preparePlan(world, loaded, { only: known });
}

async function lookAround(world: World, loaded: LoadedFleet): Promise<Known> {
  const [sight, free, sizes] = await Promise.all([
    observeFleet(world, loaded.hosts),
    freeMemory(world, loaded),
    modelSizes(world, loaded),
  ]);
  const own = new Map(instancesOf(sight, loaded).map((one) => [objectKey(one.object), one]));
  const byMachine = new Map([...free].map(([host, bytes]) => [machineOf(loaded.hosts[host]), bytes]));
  return {
    rssOf: (object) => own.get(objectKey(object))?.rssBytes ?? null,
    gpusOf: (object) => own.get(objectKey(object))?.mark?.spec.devices.count ?? 0,
    modelBytes: (host, path) => sizes.get(`${host} ${path}`) ?? 0,
    freeBytes: (host) => byMachine.get(machineOf(loaded.hosts[host])) ?? null,
  };
}

function shortNote({ host, freeBytes, peakBytes }: HostFigures): string[] {
  if (freeBytes === null || peakBytes === null || peakBytes <= freeBytes) return [];
  return [`on ${host} it needs more memory at once than is free`];
}

/** Why an engine cannot start beside the one that it replaces, so that its requests have to wait. */
function waitNote(all: readonly Action[], action: Action, known: Known): string[] {
  if (action.do !== 'replace' || action.beside) return [];
  const { deployment, host, wanted, running } = action;
  const taker = takerOf(all, action);
  const why = taker
    ? `${taker.deployment} is to have its port ${running.port}`
    : wanted.pinned
      ? `port ${wanted.port} is pinned`
      : action.wanted.spec.devices.count > 0
        ? 'a GPU holds one of both alone'
        : `both may not fit on ${host} (it holds ${bytesText(known.rssOf(running.object))}, ${bytesText(known.freeBytes(host))} are free)`;
  return [`${why}, so that requests of ${deployment} wait while the new one starts`];
}

function bytesText(bytes: number | null): string {
  return bytes === null ? 'an unknown amount' : formatBytes(bytes);
}
