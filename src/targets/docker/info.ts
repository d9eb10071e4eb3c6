import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';
import { DaemonInfo } from './answers.ts';
import { daemonsHere, must } from './daemon.ts';

export interface ToldDaemon {
  readonly where: string;
  readonly info: DaemonInfo | null;
  /** Why it gave no answer, and what helps. */
  readonly fault: { readonly text: string; readonly cure: string } | null;
}

/** Every container engine of this machine. One that does not answer says why. */
export function toldDaemons(world: World): Promise<ToldDaemon[]> {
  return daemonsHere(world).then((apis) =>
    Promise.all(
      apis.map(async (api) => {
        try {
          const question = { method: 'GET', path: '/info', fine: [200], timeoutMs: 10_000 };
          const { json } = await must(world, api, question);
          return { where: api.where, info: DaemonInfo.safeParse(json).data ?? {}, fault: null };
        } catch (error) {
          if (!(error instanceof BerthError)) throw error;
          return { where: api.where, info: null, fault: { text: error.message, cure: error.cure } };
        }
      }),
    ),
  );
}
