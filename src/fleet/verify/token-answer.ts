import { enginePaths } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { askToken } from '../apply/ask-token.ts';
import type { Deployment } from '../file/resolve.ts';
import type { VerifyOptions } from './options.ts';
import { namesOf } from './told-models.ts';

export interface TokenAnswer {
  /** Where it was asked. */
  readonly at: string;
  readonly fault: string | null;
  /** The model that was asked for. */
  readonly model: string;
  readonly ms: number;
}

/** One token from a server itself, for the model that it is known by. */
export async function tokenAnswer(
  world: World,
  of: {
    readonly deployment: Deployment;
    readonly options: VerifyOptions;
    readonly url: string;
    readonly headers: Record<string, string>;
    readonly servedModel: string | null;
    readonly ca: string | null;
  },
): Promise<TokenAnswer> {
  const { deployment, options, url, headers, ca } = of;
  const model = of.servedModel ?? (await namesOf(world, url, headers))[0] ?? deployment.name;
  const began = world.clock.now();
  const { fault, path } = await askToken(world.http, {
    ...options,
    url,
    headers,
    model,
    paths: enginePaths(deployment.engine),
    ...(ca === null ? {} : { ca }),
  });
  return { at: url + path, fault, model, ms: Math.round(world.clock.now() - began) };
}
