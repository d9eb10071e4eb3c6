import { ApiError } from '../../domain/openai.ts';
import { askEngine } from '../routing/ask-engine.ts';
import type { Deployment } from '../routing/deployment.ts';
import type { Instance } from '../routing/instance.ts';
import type { GatewayState } from '../state.ts';

/** One model that a server has loaded itself. */
interface Own {
  readonly deployment: Deployment;
  readonly instance: Instance;
  readonly name: string;
}

/**
 * Has servers unload a model that they load themselves, or with null all such that are loaded and rest: a server that routes would cut
 * what is under way, so that what comes meanwhile waits in line. Gives those of which a server said that it does. Rejects with ApiError
 * 409 while requests are under way at the server of the one that is named.
 */
export async function unloadOwn(state: GatewayState, model: string | null): Promise<string[]> {
  const deployments = model === null ? [...state.snapshot.deployments.values()] : meantBy(state, model);
  const own = model === null ? null : ownName(state, model);
  const found = deployments.flatMap((deployment) =>
    deployment.instances.flatMap((instance) =>
      loadedAt(instance)
        .filter((name) => own === null || name === own)
        .map((name): Own => ({ deployment, instance, name })),
    ),
  );
  const busy = found.filter(({ instance }) => instance.inflight > 0 || instance.paused);
  if (model !== null && busy.length > 0) throw stillServes(model, busy);
  const resting = found.filter((one) => !busy.includes(one));
  for (const { instance } of resting) instance.paused = true;
  try {
    const done = await Promise.all(
      resting.map(async ({ instance, name }) => {
        const answer = await askEngine(state, instance, { path: '/models/unload', json: { model: name } });
        return answer === null ? [] : [name];
      }),
    );
    return [...new Set(done.flat())];
  } finally {
    for (const { instance } of resting) instance.paused = false;
    for (const { deployment } of resting) deployment.dispatch();
  }
}

/** A server that this name leads to loads a model of that name itself. One of the fleet's own of the same name goes before others. */
export function isOwnModel(state: GatewayState, model: string): boolean {
  const own = ownName(state, model);
  return meantBy(state, model).some(({ instances }) => instances.some(({ models }) => models?.has(own)));
}

/** What clients reach by this name; where it is no name of theirs, any server may have it. */
function meantBy({ snapshot }: GatewayState, model: string): readonly Deployment[] {
  const route = snapshot.routes.get(model);
  if (route) return route.arms.map(({ deployment }) => deployment);
  const named = snapshot.deployments.get(model);
  return named ? [named] : [...snapshot.deployments.values()];
}

/** Servers know their models by the name that an alias stands for. */
function ownName({ snapshot }: GatewayState, model: string): string {
  return snapshot.routes.get(model)?.aliasOf ?? model;
}

function loadedAt({ models }: Instance): string[] {
  return [...(models ?? [])].flatMap(([name, state]) => (state === 'ready' ? [name] : []));
}

function stillServes(model: string, busy: readonly Own[]): ApiError {
  const count = busy.reduce((sum, { instance }) => sum + instance.inflight, 0);
  const requests = `${count === 1 ? '1 request' : `${count} requests`} under way, which it would cut`;
  return new ApiError({
    status: 409,
    type: 'invalid_request_error',
    code: 'model_busy',
    message:
      count === 0
        ? `The server of ${model} unloads a model at this moment. Try again.`
        : `The server of ${model} has ${requests}. Try again later.`,
    param: null,
  });
}
