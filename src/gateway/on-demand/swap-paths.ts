import { badRequest, modelUnknown } from '../reply/faults.ts';
import type { GatewayState } from '../state.ts';
import { ownModels } from '../routing/own-models.ts';
import type { Deployment } from '../routing/deployment.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { Demand } from './demand.ts';

/** A request for one of the paths by which models are looked after: what it is about, and the model where it names one. */
export type SwapAsk =
  | { readonly kind: 'running' }
  | { readonly kind: 'unload'; readonly model: string | null }
  | { readonly kind: 'logs'; readonly model: string; readonly follow: boolean };

const unloadPaths = ['/unload', '/api/models/unload'];
const logPaths = [
  ['/logs/stream/', true],
  ['/logs/', false],
] as const;

/** Methods that each kind answers. */
export const swapMethods: Readonly<Record<SwapAsk['kind'], readonly string[]>> = {
  running: ['GET', 'HEAD'],
  // By GET as well: that is how people of llama-swap call it.
  unload: ['POST', 'GET'],
  logs: ['GET'],
};

/** Null for every other path. Pure. */
export function swapAsk(path: string): SwapAsk | null {
  if (path === '/running') return { kind: 'running' };
  for (const known of unloadPaths) {
    if (path === known) return { kind: 'unload', model: null };
    if (path.startsWith(`${known}/`)) return { kind: 'unload', model: decoded(path.slice(known.length + 1)) };
  }
  for (const [known, follow] of logPaths)
    if (path.startsWith(known) && path.length > known.length)
      return { kind: 'logs', model: decoded(path.slice(known.length)), follow };
  return null;
}

/** States of a model that takes memory, or is about to. */
const underWay: ReadonlySet<string> = new Set(['fetching', 'loading', 'ready', 'unloading']);

/** One model that is loaded, being loaded or fetched for that, as `/running` tells it. */
export interface RunningModel {
  readonly model: string;
  /** What clients ask for it by: of a route over several deployments it is one of those that may serve. */
  readonly names: readonly string[];
  readonly state: string;
  /** From 0 to 1 while it is fetched, and while it loads where its engine tells; else null. */
  readonly progress: number | null;
  /** Of a server with several models those of all. */
  readonly inflight: number;
  readonly waiting: number;
  /** Seconds without a request after which it is unloaded; 0: never for that alone. */
  readonly ttl: number;
  /** Base URLs of its engines. */
  readonly proxy: readonly string[];
}

/** Models on demand that are loaded, being loaded or fetched, those that always run, and those that a server has loaded itself. */
export function runningModels({ snapshot, demands }: GatewayState): { running: RunningModel[] } {
  const byName = new Map(demands.list.map((demand) => [demand.deployment.name, demand]));
  const running = [...snapshot.deployments.values()].flatMap((deployment): RunningModel[] => {
    const demand = byName.get(deployment.name);
    const isThere = demand ? underWay.has(demand.state) : deployment.instances.length > 0;
    if (!isThere) return [];
    const one = {
      model: deployment.name,
      names: namesOf(deployment, snapshot),
      state: demand?.state ?? 'ready',
      progress: demand?.progress ?? null,
      inflight: deployment.inflight,
      waiting: deployment.waiting,
      ttl: (demand?.model.ttlMs ?? 0) / 1000,
      proxy: deployment.instances.map(({ upstream }) => upstream.url),
    };
    const own = ownModels(deployment);
    return own === null ? [one] : own.map(([model, state]) => ({ ...one, model, names: [model], state }));
  });
  return { running };
}

function namesOf({ name }: Deployment, { routes }: Snapshot): string[] {
  const leading = [...routes.values()].filter(({ arms }) => arms.some((arm) => arm.deployment.name === name));
  return leading.map((route) => route.name);
}

/** Has one model unloaded, or all, once their requests have ended. Throws ApiError 404, or 400 for one that always runs. */
export function unloadModels(state: GatewayState, model: string | null): { unloading: string[] } {
  const { demands } = state;
  if (model === null) {
    const names = demands.list.filter((one) => isLoaded(one)).map((one) => one.deployment.name);
    demands.dismiss();
    return { unloading: names };
  }
  const demand = demandNamed(state, model);
  if (demand === 'unknown') throw unknown(state, model);
  if (demand === null) throw notOnDemand(model);
  const loaded = isLoaded(demand);
  demands.dismiss(demand.deployment.name);
  return { unloading: loaded ? [demand.deployment.name] : [] };
}

/** Files that the engines of a model write to. Throws ApiError 404, or 400 where they write elsewhere. */
export function logFilesOf(state: GatewayState, model: string): readonly string[] {
  const { snapshot, demands } = state;
  const name = deploymentNamed(state, model);
  const demand = demands.list.find((one) => one.deployment.name === name);
  if (demand) return demand.model.logFiles;
  const deployment = snapshot.deployments.get(name);
  if (!deployment) throw modelUnknown(model, [...snapshot.deployments.keys()]);
  const files = deployment.instances.flatMap(({ upstream }) => upstream.logFile ?? []);
  if (files.length === 0) throw logElsewhere(name);
  return files;
}

function unknown({ demands }: GatewayState, model: string): Error {
  const known = demands.list.map((one) => one.deployment.name);
  return modelUnknown(model, known);
}

function logElsewhere(name: string): Error {
  const message = `The engines of ${name} write to no file on this machine. Where "berth logs ${name}" finds their lines, it shows them.`;
  return badRequest(message, null, 'log_elsewhere');
}

function notOnDemand(model: string): Error {
  return badRequest(`${model} is not loaded on demand: it always runs.`, null, 'not_on_demand');
}

/** Or on its way to that. */
function isLoaded({ state, onItsWay }: Demand): boolean {
  return state === 'ready' || onItsWay;
}

/** By its own name, or by that of a route that has it alone. */
function deploymentNamed({ snapshot }: GatewayState, model: string): string {
  const [arm, ...others] = snapshot.routes.get(model)?.arms ?? [];
  return arm && others.length === 0 ? arm.deployment.name : model;
}

function demandNamed(state: GatewayState, model: string): Demand | null | 'unknown' {
  const { snapshot, demands } = state;
  const name = deploymentNamed(state, model);
  const demand = demands.list.find((one) => one.deployment.name === name);
  return demand ?? (snapshot.deployments.has(name) ? null : 'unknown');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
