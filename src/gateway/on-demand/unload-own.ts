import { ApiError } from '../../domain/openai.ts';
import { askEngine } from '../routing/ask-engine.ts';
import type { Instance } from '../routing/instance.ts';
import type { GatewayState } from '../state.ts';

/**
 * Has servers unload a model that they load themselves, or with null all such that are loaded and rest: a server that routes would cut
 * what is under way. Gives those of which a server said that it does. Rejects with ApiError 409 while requests are under way at the
 * server of the one that is named.
 */
export async function unloadOwn(state: GatewayState, model: string | null): Promise<string[]> {
  const found = [...state.snapshot.instances.values()].flatMap((instance) =>
    loadedAt(instance)
      .filter((name) => model === null || name === model)
      .map((name) => ({ instance, name })),
  );
  const busy = found.filter(({ instance }) => instance.inflight > 0);
  if (model !== null && busy.length > 0) throw stillServes(model, busy);
  const resting = found.filter((one) => !busy.includes(one));
  const done = await Promise.all(
    resting.map(async ({ instance, name }) => {
      const answer = await askEngine(state, instance, { path: '/models/unload', json: { model: name } });
      return answer === null ? [] : [name];
    }),
  );
  return [...new Set(done.flat())];
}

/** Some server loads a model of that name itself. */
export function isOwnModel({ snapshot }: GatewayState, model: string): boolean {
  return [...snapshot.instances.values()].some(({ models }) => models?.has(model));
}

function loadedAt({ models }: Instance): string[] {
  return [...(models ?? [])].flatMap(([name, state]) => (state === 'ready' ? [name] : []));
}

function stillServes(model: string, busy: readonly { readonly instance: Instance }[]): ApiError {
  const count = busy.reduce((sum, { instance }) => sum + instance.inflight, 0);
  return new ApiError({
    status: 409,
    type: 'invalid_request_error',
    code: 'model_busy',
    message: `The server of ${model} has ${count === 1 ? '1 request' : `${count} requests`} under way, which it would cut. Try again later.`,
    param: null,
  });
}
