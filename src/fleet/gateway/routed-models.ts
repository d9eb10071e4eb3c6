import { ModelList } from '../../domain/server-answers.ts';
import type { Route } from '../../domain/gateway-config.ts';
import { thisMachine } from '../../domain/host-access.ts';
import { engineOf } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { engineHeaders } from '../apply/engine-key.ts';
import { worldOfHost } from '../file/hosts.ts';
import { urlOf } from '../apply/ready.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { RunningEngine } from './running-engine.ts';

const askMs = 3_000;

/**
 * A route for each model of the engines that serve several, as they list them now; names that are taken already stay as they are. An
 * engine that does not answer has none.
 */
export async function routedModels(
  world: World,
  loaded: LoadedFleet,
  engines: readonly Pick<RunningEngine, 'mark' | 'keyFile'>[],
  taken: readonly Route[],
): Promise<Route[]> {
  const names = new Set(taken.map((route) => route.name));
  const lists = await Promise.all(engines.map((one) => modelsOf(world, loaded, one)));
  return lists.flat().flatMap(({ name, deployment }): Route[] => {
    if (names.has(name)) return [];
    names.add(name);
    return [{ name, to: [{ deployment, weight: 1 }], aliasOf: null }];
  });
}

async function modelsOf(
  world: World,
  { deployments, hosts }: LoadedFleet,
  { mark, keyFile }: Pick<RunningEngine, 'mark' | 'keyFile'>,
): Promise<{ name: string; deployment: string }[]> {
  const { modelsPath } = engineOf(mark.spec.engine);
  if (modelsPath === undefined) return [];
  const stated = deployments.find((one) => one.name === mark.deployment);
  try {
    const host = await worldOfHost(world, hosts, stated?.host ?? thisMachine);
    const headers = await engineHeaders(host, mark, keyFile);
    const { text } = await host.http.request(urlOf(mark) + modelsPath, { headers, timeoutMs: askMs });
    const list = ModelList.safeParse(JSON.parse(text)).data?.data ?? [];
    return list.map(({ id }) => ({ name: id, deployment: mark.deployment }));
  } catch {
    return [];
  }
}
