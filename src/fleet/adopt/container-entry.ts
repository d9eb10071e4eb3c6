import { secretVariable } from '../../domain/audit/secret-variable.ts';
import { flagValue } from '../../domain/command-line/flags.ts';
import { unwrap } from '../../domain/command-line/unwrap.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { ForeignContainer } from '../../targets/docker/foreign.ts';
import { engineProgram } from './engine-program.ts';
import { isEmpty, untold } from './untold.ts';

/** "http://user:password@proxy". */
const keyInUrl = /:\/\/[^/\s:@]*:[^/\s@]+@/;

/** A server of a container as berth would run it, or why it would not be the same. */
export type AsContainer =
  | {
      readonly target: Readonly<Record<string, unknown>>;
      readonly env: Readonly<Record<string, string>>;
      readonly port: number;
      readonly address: string;
      /** Where a file of the container lies on the machine; the same text for what is no file of it. */
      readonly outside: (path: string) => string;
    }
  | { readonly because: string };

/**
 * How berth would make another one like it. Refuses what it could not say in a fleet file, so that a later change of something else
 * takes nothing away that was there. Pure.
 */
export function asContainer(server: ScannedServer, found: ForeignContainer): AsContainer {
  const place = placeOf(server, found);
  const before = programOf(server, found);
  const volumes = found.mounts.filter((one) => one.volume);
  const secret = Object.entries(found.env).find(
    ([name, value]) => secretVariable.test(name) || keyInUrl.test(value),
  )?.[0];
  const elsewhere = untold(found) ?? movedFile(server, found);
  const because =
    found.keeper !== null
      ? `its container is kept by ${found.keeper}, which would make it again`
      : place === null
        ? 'its port is not one of this machine'
        : found.network !== 'bridge' && found.network !== 'host'
          ? `its container has a network of its own (${found.network})`
          : before === null
            ? 'its container starts it by a program of its own'
            : secret !== undefined
              ? `a variable of its container holds a secret (${secret})`
              : elsewhere;
  if (because !== null || place === null || before === null) return { because: because ?? '' };
  const binds = [...volumes, ...found.mounts.filter((one) => !one.volume && !isModel(server, one.target))];
  const kept = {
    ...keptOf(found.hostConfig),
    ...(binds.length > 0
      ? { Binds: binds.map((one) => `${one.source}:${one.target}${one.readOnly ? ':ro' : ''}`) }
      : {}),
  };
  const entrypoint = engineProgram(before);
  return {
    target: {
      kind: 'docker',
      image: found.image,
      ...(entrypoint === null ? {} : { entrypoint }),
      network: found.network,
      restart: restartOf(found.restart),
      ...(found.user === '' ? {} : { user: found.user }),
      ...(Object.keys(kept).length > 0 ? { hostConfig: kept } : {}),
    },
    env: found.env,
    ...place,
    outside: (path) => outside(found, path),
  };
}

function restartOf(policy: string): string {
  return policy === 'always' ? 'unless-stopped' : policy;
}

/** Where the machine has the port that it listens on. */
function placeOf(
  server: ScannedServer,
  { network, published }: ForeignContainer,
): { address: string; port: number } | null {
  const inside = server.endpoints.filter((one) => !one.here);
  const here = server.endpoints.find((one) => one.here);
  if (network === 'host') return here ? { address: plain(here.address), port: here.port } : null;
  const port = inside.find((one) => one.port === server.wantedPort)?.port ?? inside[0]?.port;
  const out = published.find((one) => one.inside === (port ?? server.wantedPort));
  return out ? { address: plain(out.address), port: out.port } : null;
}

function plain(address: string): string {
  return ['0.0.0.0', '::', ''].includes(address) ? '127.0.0.1' : address;
}

/** What is run before the arguments; null where a script of the container adds to them. */
function programOf({ command }: ScannedServer, { words }: ForeignContainer): readonly string[] | null {
  const [own] = unwrap(command);
  const [defined] = unwrap(words);
  if (!own || !defined || own.args.join('\0') !== defined.args.join('\0')) return null;
  const before = words.slice(0, words.length - defined.args.length);
  const tail = words.slice(before.length);
  return before.length > 0 && tail.join('\0') === defined.args.join('\0') ? before : null;
}

/**
 * A file that its command line or its variables name and that another one would not have: it lies elsewhere on the machine, or in the
 * folder of the model, of which only the model is mounted.
 */
function movedFile(server: ScannedServer, found: ForeignContainer): string | null {
  const models = modelsOf(server);
  const words = [...server.command, ...Object.values(found.env)]
    .flatMap((one) => [one, one.slice(one.indexOf('=') + 1)])
    .filter((one) => one.startsWith('/') && !models.includes(one));
  const moved = words.find((one) => outside(found, one) !== one);
  if (moved !== undefined) return `${moved} lies elsewhere outside of its container`;
  const left = found.mounts.filter((one) => !one.volume && isModel(server, one.target));
  const beside = words.find((one) => left.some(({ target }) => covers(target, one)));
  if (beside !== undefined) return `${beside} lies beside its model, which alone would be mounted`;
  const model = server.model ?? '';
  if (!model.startsWith('/')) return null;
  const held = found.mounts.find((one) => covers(one.target, model));
  return !held || held.volume ? `its model ${model} lies in its container alone` : null;
}

function modelsOf({ model, command }: ScannedServer): string[] {
  const mmproj = flagValue(command, '--mmproj', '-mm');
  return [model, mmproj].flatMap((path) => (path?.startsWith('/') ? [path] : []));
}

function isModel(server: ScannedServer, target: string): boolean {
  return modelsOf(server).some((path) => covers(target, path));
}

function covers(target: string, path: string): boolean {
  return path === target || path.startsWith(target.endsWith('/') ? target : `${target}/`);
}

function outside({ mounts }: ForeignContainer, path: string): string {
  const [mount] = mounts
    .filter((one) => !one.volume && covers(one.target, path))
    .toSorted((a, b) => b.target.length - a.target.length);
  if (!mount) return path;
  const rest = path.slice(mount.target.length).replace(/^\//, '');
  return rest === '' ? mount.source : `${mount.source.replace(/\/$/, '')}/${rest}`;
}

/** What a daemon holds it to beyond what berth writes by itself. */
const keptKeys = [
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'NanoCpus',
  'CpuShares',
  'CpuQuota',
  'CpuPeriod',
  'CpusetCpus',
  'CpusetMems',
  'ShmSize',
  'IpcMode',
  'Devices',
  'DeviceRequests',
  'GroupAdd',
  'CapAdd',
  'CapDrop',
  'SecurityOpt',
  'Ulimits',
  'ExtraHosts',
  'Dns',
  'Runtime',
  'ReadonlyRootfs',
  'Tmpfs',
] as const;

/** Values that a container has without being told. */
const usual: Readonly<Record<string, readonly unknown[]>> = {
  ShmSize: [67_108_864, 65_536_000],
  IpcMode: ['private', 'shareable', 'none'],
  Runtime: ['runc', 'crun', 'oci'],
  MemorySwap: [-1],
};

function keptOf(hostConfig: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    keptKeys.flatMap((key) => {
      const value = hostConfig[key];
      return isEmpty(value) || (usual[key]?.includes(value) ?? false) ? [] : [[key, value]];
    }),
  );
}
