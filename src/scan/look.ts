import { readCgroupLimits } from '../hardware/cgroup-limits.ts';
import { doorOf } from '../domain/command-line/server-door.ts';
import { ownerOfCgroup } from '../domain/cgroup-owner.ts';
import { engines } from '../engines/registry.ts';
import { readAddresses } from '../io/procfs/addresses.ts';
import { modelIdentity } from './model-identity.ts';
import type { World } from '../io/world.ts';
import type { FoundServer } from './find-servers.ts';
import { openSecrets } from './open-secrets.ts';
import { probe } from './probe.ts';
import { publishedListeners } from './published.ts';
import type { Looked, Seen } from './seen.ts';

type LookOptions = Seen & {
  /** Over all questions to this server. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** True for a listener that no engine knows: it is asked for everything that tells engines apart. */
  readonly unknown: boolean;
};

/** Completes one server by what only looking closer tells: its answers, its model's file, its limits, its published ports. */
export async function look(world: World, server: FoundServer, options: LookOptions): Promise<Looked> {
  const { recognized, entry } = server;
  const here = server.listeners.filter((listener) => listener.netns === options.ownNetns);
  const published = here.length > 0 ? [] : publishedPorts(server, options);
  const wanted = here.find((listener) => listener.port === recognized.port) ?? here[0] ?? published[0];
  const { quotaCores, memoryBytes, memoryKills } = await readCgroupLimits(world, {
    cgroup: entry.cgroup ?? '',
    sys: '/sys',
  });
  const probed = wanted
    ? await probe(
        world,
        { ...wanted, here: true },
        {
          door: doorOf(entry.argv, entry.env),
          candidates: options.unknown ? engines : engines.filter(({ kind }) => kind === recognized.engine),
          timeoutMs: options.timeoutMs,
          signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]),
        },
      )
    : null;
  const path = recognized.model ?? probed?.identity?.modelPath ?? null;
  return {
    server,
    probed,
    published,
    quotaCores,
    memoryLimitBytes: memoryBytes,
    memoryKills,
    openSecrets: await openSecrets(world, entry),
    file: path === null ? null : await identify(world, server, path),
  };
}

function publishedPorts(server: FoundServer, seen: Seen): Looked['published'] {
  const addresses = readAddresses(seen.proc, server.entry.pid);
  return publishedListeners({ listeners: server.listeners, addresses }, seen);
}

/** A path means what it means where the process lives; outside containers that is here, also where rights hide its root. */
async function identify(world: World, { entry }: FoundServer, path: string): Promise<Looked['file']> {
  const found = await modelIdentity(world, entry, path);
  const inside = ['container', 'pod'].includes(ownerOfCgroup(entry.cgroup).kind);
  if (found || inside || !path.startsWith('/')) return found;
  return modelIdentity(world, { pid: 'self', cwd: '/' }, path);
}
