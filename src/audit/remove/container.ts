import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { DockerApi } from '../../io/docker-api.ts';
import type { World } from '../../io/world.ts';
import { Created } from '../../targets/docker/answers.ts';
import { daemonsHere, must } from '../../targets/docker/daemon.ts';
import { takenAgain } from '../../targets/docker/host-config.ts';
import { modelContainers } from '../gather/containers.ts';
import type { Found, Removable } from './contract.ts';

const timeoutMs = 120_000;

const Inspected = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  State: z.object({ Running: z.boolean().nullish() }),
  Config: z.record(z.string(), z.unknown()),
  HostConfig: z.record(z.string(), z.unknown()),
  Mounts: z
    .array(
      z.object({
        Type: z.string().nullish(),
        Name: z.string().nullish(),
        Destination: z.string(),
        RW: z.boolean().nullish(),
      }),
    )
    .nullish(),
  NetworkSettings: z
    .object({
      Networks: z
        .record(
          z.string(),
          z.object({ Aliases: z.array(z.string()).nullish(), IPAMConfig: z.unknown() }).nullish(),
        )
        .nullish(),
    })
    .nullish(),
});

const Definition = z.object({ where: z.string(), inspected: Inspected });
type Definition = z.infer<typeof Definition>;

export const container: Removable = {
  kind: 'container',
  example: 'container:kimi-old',
  inCluster: false,
  find: findContainer,
  restore: async (world, definition) => restoreContainer(world, Definition.parse(definition)),
};

async function findContainer(world: World, name: string): Promise<Found> {
  const all = await modelContainers(world);
  const found = all.find((one) => one.name === name || (name.length >= 6 && one.id.startsWith(name)));
  const object = `container:${name}`;
  if (!found)
    throw new BerthError('REMOVE_UNKNOWN', { object, known: all.map((one) => `container:${one.name}`) });
  const other = found.marked ? 'it carries the mark of a fleet' : null;
  const manager = found.managedBy === null ? null : `the ${found.managedBy} keeps it`;
  const reason = other ?? manager;
  if (reason !== null) throw new BerthError('REMOVE_REFUSED', { object, reason, cure: 'Change it there.' });
  const { api, inspected } = await inspect(world, found.id);
  const running = inspected.State.Running === true;
  return {
    what: `container ${found.name} of ${found.tool}, ${found.state}, image ${found.image}`,
    loses: 'What was written in it outside its volumes is gone with it.',
    definition: { where: api.where, inspected } satisfies Definition,
    remove: async () => {
      if (running)
        await must(world, api, {
          method: 'POST',
          path: `/containers/${found.id}/stop?t=30`,
          fine: [204, 304, 404],
          timeoutMs,
        });
      // Its volumes stay, those without a name too: the undo brings them back.
      await must(world, api, {
        method: 'DELETE',
        path: `/containers/${found.id}?force=true&v=false`,
        fine: [200, 204, 404],
        timeoutMs,
      });
    },
  };
}

async function inspect(
  world: World,
  id: string,
): Promise<{ api: DockerApi; inspected: Definition['inspected'] }> {
  for (const api of await daemonsHere(world)) {
    const { json, status } = await api
      .ask('GET', `/containers/${id}/json`)
      .catch(() => ({ json: null, status: 0 }));
    const inspected = status === 200 ? Inspected.safeParse(json).data : undefined;
    if (inspected) return { api, inspected };
  }
  throw new BerthError('REMOVE_UNKNOWN', { object: `container:${id}`, known: [] });
}

async function restoreContainer(world: World, { where, inspected }: Definition): Promise<string> {
  const daemons = await daemonsHere(world);
  const api = daemons.find((one) => one.where === where) ?? daemons[0];
  if (!api) throw new BerthError('DOCKER_UNREACHABLE', { where: [where], reason: 'there is no such socket' });
  const name = inspected.Name.replace(/^\//, '');
  const { json } = await must(world, api, {
    method: 'POST',
    path: `/containers/create?name=${encodeURIComponent(name)}`,
    body: bodyOf(inspected),
    fine: [201],
    timeoutMs,
  });
  const { Id } = Created.parse(json);
  if (inspected.State.Running)
    await must(world, api, {
      method: 'POST',
      path: `/containers/${Id}/start`,
      fine: [204, 304],
      timeoutMs,
    });
  return `container ${name} is there again${inspected.State.Running ? ', and started' : ''}`;
}

/** What "create container" takes, from what "inspect" tells. Pure. */
export function bodyOf({
  Id,
  Config,
  HostConfig,
  Mounts,
  NetworkSettings,
}: Definition['inspected']): unknown {
  const binds = (HostConfig['Binds'] as string[] | null | undefined) ?? [];
  const named = [
    ...binds,
    ...((HostConfig['Mounts'] as { Target?: string }[] | null | undefined) ?? []).map(
      (one) => `:${one.Target}`,
    ),
  ];
  const volumes = (Mounts ?? [])
    .filter((one) => one.Type === 'volume' && one.Name)
    .filter((one) => !named.some((bind) => bind.split(':')[1] === one.Destination))
    .map((one) => `${one.Name}:${one.Destination}${one.RW === false ? ':ro' : ''}`);
  const networks = Object.entries(NetworkSettings?.Networks ?? {}).map(([name, one]) => [
    name,
    // Of its aliases one is its own id, which is another by then.
    {
      Aliases: (one?.Aliases ?? []).filter((alias) => !Id.startsWith(alias)),
      IPAMConfig: one?.IPAMConfig ?? null,
    },
  ]);
  return {
    ...Config,
    HostConfig: { ...takenAgain(HostConfig), Binds: [...binds, ...volumes] },
    NetworkingConfig: { EndpointsConfig: Object.fromEntries(networks) },
  };
}
