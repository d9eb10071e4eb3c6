import { z } from 'zod';
import type { DockerApi } from '../../io/docker-api.ts';
import type { World } from '../../io/world.ts';
import { Inspected } from './answers.ts';
import { daemonsHere } from './daemon.ts';
import { takenAgain } from './host-config.ts';

const Ports = z.record(
  z.string(),
  z.array(z.object({ HostIp: z.string().nullish(), HostPort: z.string().nullish() })).nullish(),
);

const Whole = Inspected.extend({
  Image: z.string().nullish(),
  Pod: z.string().nullish(),
  Mounts: z
    .array(
      z.object({
        Type: z.string().nullish(),
        Name: z.string().nullish(),
        Source: z.string().nullish(),
        Destination: z.string(),
        RW: z.boolean().nullish(),
        Mode: z.string().nullish(),
        Propagation: z.string().nullish(),
      }),
    )
    .nullish(),
  NetworkSettings: z.object({ Ports: Ports.nullish() }).nullish(),
});
type Whole = z.infer<typeof Whole>;

const ImageEnv = z.object({ Config: z.object({ Env: z.array(z.string()).nullish() }).nullish() });

/** A container that somebody else has made, as far as another like it could be made of it. */
export interface ForeignContainer {
  readonly where: string;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** Its entrypoint and what stands behind it. */
  readonly words: readonly string[];
  /** Variables that its image does not have. Secrets may be in here. */
  readonly env: Readonly<Record<string, string>>;
  readonly network: string;
  readonly restart: string;
  readonly user: string;
  /** What would make it anew: "unit chat.service"; null when nothing would. */
  readonly keeper: string | null;
  readonly mounts: readonly {
    /** The folder or file of the machine, or a volume by its name. */
    readonly source: string;
    readonly target: string;
    readonly volume: boolean;
    readonly readOnly: boolean;
    /** "bind", "volume" and others. */
    readonly type: string;
    readonly mode: string;
    readonly propagation: string;
  }[];
  /** Ports inside, and where the machine has them. */
  readonly published: readonly { readonly inside: number; readonly address: string; readonly port: number }[];
  readonly hostConfig: Readonly<Record<string, unknown>>;
}

/** The containers with these ids, which may be the first digits alone. A daemon that cannot be asked has none. */
export async function foreignContainers(world: World, ids: readonly string[]): Promise<ForeignContainer[]> {
  if (ids.length === 0) return [];
  const daemons = await daemonsHere(world).catch(() => []);
  const found = await Promise.all(
    daemons.flatMap((api) => ids.map((id) => containerAt(api, id).catch(() => null))),
  );
  return [...new Map(found.flatMap((one) => (one ? [[one.id, one] as const] : []))).values()];
}

async function containerAt(api: DockerApi, id: string): Promise<ForeignContainer | null> {
  const { json } = await api.ask('GET', `/containers/${id}/json`);
  const container = Whole.safeParse(json).data;
  if (!container) return null;
  const image = await api.ask('GET', `/images/${container.Image ?? ''}/json`);
  const own = ImageEnv.safeParse(image.json).data?.Config?.Env ?? [];
  return foreignOf(container, { where: api.where, imageEnv: own });
}

/** Pure. */
export function foreignOf(
  { Id, Name, Config, HostConfig, Mounts, NetworkSettings, Pod }: Whole,
  { where, imageEnv }: { where: string; imageEnv: readonly string[] },
): ForeignContainer {
  const entrypoint = typeof Config.Entrypoint === 'string' ? [Config.Entrypoint] : (Config.Entrypoint ?? []);
  const policy = HostConfig['RestartPolicy'] as { Name?: string } | undefined;
  const mode = HostConfig['NetworkMode'];
  const network = typeof mode === 'string' ? mode : '';
  return {
    where,
    id: Id,
    name: Name.replace(/^\//, ''),
    image: Config.Image ?? '',
    words: [...entrypoint, ...(Config.Cmd ?? [])],
    env: Object.fromEntries(
      (Config.Env ?? [])
        .filter((one) => !imageEnv.includes(one) && !written.test(one))
        .map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
    ),
    network: network === 'default' || network === 'podman' ? 'bridge' : network,
    restart: policy?.Name || 'no',
    user: typeof Config['User'] === 'string' ? Config['User'] : '',
    keeper: keeperOf(Config.Labels ?? {}, Pod),
    mounts: (Mounts ?? []).map(({ Type, Name: volume, Source, Destination, RW, Mode, Propagation }) => ({
      source: (Type === 'volume' ? volume : Source) ?? '',
      target: Destination,
      volume: Type === 'volume',
      readOnly: RW === false,
      type: Type ?? '',
      mode: Mode ?? '',
      propagation: Propagation ?? '',
    })),
    published: Object.entries(NetworkSettings?.Ports ?? {}).flatMap(([inside, places]) =>
      (places ?? []).map(({ HostIp, HostPort }) => ({
        inside: Number.parseInt(inside, 10),
        address: HostIp || '0.0.0.0',
        port: Number(HostPort),
      })),
    ),
    hostConfig: takenAgain(HostConfig),
  };
}

/** What a daemon itself puts there. */
const written = /^(PATH|HOSTNAME|HOME|TERM|container)=/;

/** Compose makes its containers when somebody tells it to; a unit and a pod do so by themselves. */
function keeperOf(labels: Readonly<Record<string, string>>, pod: string | null | undefined): string | null {
  const unit = labels['PODMAN_SYSTEMD_UNIT'];
  if (unit !== undefined && unit !== '') return `unit ${unit}`;
  if (labels['io.kubernetes.pod.uid'] !== undefined) return 'a pod of Kubernetes';
  return pod ? `pod ${pod.slice(0, 12)} of podman` : null;
}
