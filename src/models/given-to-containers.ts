import { z } from 'zod';
import type { DockerApi } from '../io/docker-api.ts';
import type { World } from '../io/world.ts';
import { ContainerList } from '../targets/docker/answers.ts';
import { daemonsOnSockets } from '../targets/docker/daemon.ts';
import type { Given } from './given-paths.ts';

/** What containers of this machine are given, those that do not run included. */
export interface ContainerUses {
  readonly given: readonly Given[];
  /** Daemons that are there and do not tell. */
  readonly silent: readonly string[];
}

const Inspected = z.object({
  Path: z.string().nullish(),
  Args: z.array(z.string()).nullish(),
  Config: z.object({
    Env: z.array(z.string()).nullish(),
    WorkingDir: z.string().nullish(),
  }),
  Mounts: z.array(z.object({ Source: z.string().nullish(), Destination: z.string() })).nullish(),
});

/** Asks the daemons that listen on sockets of this machine: others have files of their own. */
export async function givenToContainers(world: World): Promise<ContainerUses> {
  const silent: string[] = [];
  const given: Given[] = [];
  for (const api of await daemonsOnSockets(world)) {
    const found = await ofDaemon(api).catch(() => null);
    if (found === null) silent.push(api.where);
    else given.push(...found);
  }
  return { given, silent };
}

/** Null where it does not tell all. */
async function ofDaemon(api: DockerApi): Promise<Given[] | null> {
  const { json } = await api.ask('GET', '/containers/json?all=1');
  const list = ContainerList.safeParse(json).data;
  if (!list) return null;
  const given: Given[] = [];
  for (const { Id } of list) {
    const answer = await api.ask('GET', `/containers/${Id}/json`);
    // It was taken away meanwhile.
    if (answer.status === 404) continue;
    const { data } = Inspected.safeParse(answer.json);
    if (!data) return null;
    given.push(readGiven(data));
  }
  return given;
}

function readGiven({ Path, Args, Config, Mounts }: z.infer<typeof Inspected>): Given {
  return {
    words: [...(Path ? [Path] : []), ...(Args ?? []), ...(Config.Env ?? [])],
    mounts: (Mounts ?? []).flatMap(({ Source, Destination }) =>
      Source ? [{ from: Source, to: Destination }] : [],
    ),
    folder: Config.WorkingDir || '/',
  };
}
