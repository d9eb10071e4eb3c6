import { z } from 'zod';
import { Hardware } from '../hardware.ts';
import { ScannedServer } from '../scan-report.ts';
import { Use, usualIdleMs } from './activity.ts';

const bytes = z.int().min(0).nullable();
const options = z.record(z.string(), z.unknown());

/** A model server as a command line defines it, whether or not it runs. Secrets are replaced. */
export const DefinedServer = z.strictObject({
  engine: z.string(),
  model: z.string().nullable(),
  host: z.string().nullable(),
  port: z.int().nullable(),
  options,
  keyed: z.boolean().nullable(),
  /** It has a certificate, by its words or its variables. */
  tls: z.literal(true).optional(),
  exposes: z.array(z.string()),
  command: z.array(z.string()),
});
export type DefinedServer = z.infer<typeof DefinedServer>;

/** A systemd unit that starts a model server. */
export const ObservedUnit = z.strictObject({
  name: z.string(),
  scope: z.enum(['system', 'user']),
  path: z.string(),
  dropIns: z.array(z.string()),
  /** `path` is a template of several units, or a ".container" file that podman makes one of; null: its own file. */
  madeBy: z.enum(['template', 'quadlet', 'container-run']).nullable().default(null),
  /** As systemd says it; "unknown" where it cannot be asked. */
  active: z.string(),
  result: z.string().nullable(),
  /** Started at boot; null: not known. */
  enabled: z.boolean().nullable(),
  needsReload: z.boolean(),
  restarts: z.int().nullable(),
  marked: z.boolean(),
  /** The network namespace that it is in, by a file or by the unit that has it; null: that of the machine. */
  network: z.string().nullable().default(null),
  /** Units that it ends when it starts, and that end it. */
  conflicts: z.array(z.string()).default([]),
  /** Its manager gives it variables, whose values are not in its files. */
  inherits: z.boolean().default(false),
  /** The name of the container that it starts, where it has one of its own. */
  container: z.string().nullable().default(null),
  /** Names of variables that hold a secret in what everybody may ask systemd for. */
  secretVariables: z.array(z.string()).default([]),
  /** Files of variables with a secret that every user of the machine can read. */
  openSecrets: z.array(z.string()).default([]),
  /** Variables that its files set and its engine does not read, with what it reads in their place. */
  ignored: z.array(z.strictObject({ name: z.string(), meant: z.string() })).default([]),
  starts: DefinedServer,
});
export type ObservedUnit = z.infer<typeof ObservedUnit>;

/** A container of Docker or podman that runs, or would run, a model server. */
export const ObservedContainer = z.strictObject({
  id: z.string(),
  name: z.string(),
  tool: z.enum(['docker', 'podman']),
  image: z.string(),
  state: z.string(),
  exitCode: z.int().nullable(),
  /** Why its daemon could not start it. */
  error: z.string().nullable().default(null),
  outOfMemory: z.boolean(),
  restarts: z.int().nullable(),
  restartPolicy: z.string(),
  /** As its health check says; null without one. */
  health: z.string().nullable(),
  /** The words of its health check, its own or its image's. */
  healthCheck: z.array(z.string()).nullable(),
  privileged: z.boolean(),
  /** Namespaces that it shares with the host: "pid", "network", "ipc". */
  shares: z.array(z.enum(['pid', 'network', 'ipc'])),
  /** Ports of the machine that lead into it, to one of its own, while it runs. */
  published: z
    .array(
      z.strictObject({
        address: z.string(),
        port: z.int(),
        to: z.int(),
        /** By its daemon, for as long as it runs. */
        picked: z.literal(true).optional(),
      }),
    )
    .default([]),
  /** Whether it is given a device of a GPU; null: not told. */
  hasGpu: z.boolean().nullable().default(null),
  /** Variables that its engine takes no notice of, with what is meant. */
  ignored: z.array(z.strictObject({ name: z.string(), meant: z.string() })).default([]),
  shmBytes: bytes,
  /** What its daemon lets it have at most; null: no limit, or not told. */
  cpuLimit: z.number().nullable().default(null),
  memoryLimit: bytes.default(null),
  /** Names of variables that hold a secret in plain sight of "inspect". */
  secretVariables: z.array(z.string()),
  /** Who made it, where its labels tell: compose, a unit, a service of Swarm. */
  managedBy: z.string().nullable(),
  marked: z.boolean(),
  starts: DefinedServer,
});
export type ObservedContainer = z.infer<typeof ObservedContainer>;

/** A socket that listens, with the program that holds it. */
export const ObservedListener = z.strictObject({
  address: z.string(),
  port: z.int(),
  netns: z.string(),
  here: z.boolean(),
  uid: z.int(),
  pid: z.int().nullable(),
  program: z.string().nullable(),
});
export type ObservedListener = z.infer<typeof ObservedListener>;

/** One machine: what serves models there, what would, and what stands in the way. */
export const ObservedHost = z.strictObject({
  host: z.string(),
  servers: z.array(ScannedServer),
  hardware: Hardware,
  /** Devices of GPUs of whatever vendor, whether or not a tool of theirs is there; null: not looked for. */
  gpuDevices: z.array(z.string()).nullable(),
  listeners: z.array(ObservedListener),
  units: z.array(ObservedUnit),
  containers: z.array(ObservedContainer),
  /** Model files beside those that are served. */
  modelFiles: z.array(z.strictObject({ path: z.string(), id: z.string(), bytes: z.int().min(0) })),
});
export type ObservedHost = z.infer<typeof ObservedHost>;

/** What the fleet file wants, and how it compares. */
export const ObservedFleet = z.strictObject({
  name: z.string(),
  file: z.string(),
  deployments: z.array(
    z.strictObject({
      name: z.string(),
      host: z.string(),
      engine: z.string(),
      model: z.string().nullable(),
      replicas: z.int(),
      onDemand: z.boolean(),
      external: z.boolean(),
      gpus: z.int(),
      options,
      /** Requests per second that the gateway lets through. */
      rps: z.number().nullable(),
      /** What runs it: "systemd"; null for one that is only reached. */
      target: z.string().nullable(),
      port: z.int().nullable(),
    }),
  ),
  gateway: z.strictObject({
    listen: z.array(z.string()),
    /** It has a certificate; also where a recording does not tell. */
    tls: z.boolean().default(true),
    /** Model names that clients may ask for, and who answers. */
    routes: z.array(z.strictObject({ name: z.string(), to: z.array(z.string()) })),
  }),
  /** How benchmarks measured deployments to serve while no more requests were under way than they have slots. */
  measured: z
    .array(
      z.strictObject({
        deployment: z.string(),
        run: z.string(),
        stage: z.string(),
        slots: z.int(),
        ttftMs: z.number(),
        tpotMs: z.number(),
        outputTokens: z.number(),
      }),
    )
    .default([]),
  /** What hosts cost, in US dollars, by the names that they have here. */
  prices: z
    .record(z.string(), z.strictObject({ hour: z.number().nullable(), diskMonth: z.number().nullable() }))
    .default({}),
  /** Ports that its hosts keep free, by name. */
  reserved: z.record(z.string(), z.array(z.int())),
  /** Servers that its deployments reach by an address that a look at the machine leads to, as that of a pod. */
  reached: z.array(z.strictObject({ host: z.string(), pid: z.int(), deployment: z.string() })).default([]),
  /** Objects that carry its mark. */
  instances: z.array(
    z.strictObject({
      deployment: z.string(),
      replica: z.int(),
      object: z.string(),
      alive: z.boolean(),
      trouble: z.string().nullable(),
      /** Where it is asked; null: not recorded. */
      listens: z.string().nullable().default(null),
      /** By the file, or by its mark where the file has lost it: only who names it ends it. */
      protect: z.boolean().default(false),
    }),
  ),
  /** In what a live object differs, field by field, and whose change it was. */
  drift: z.array(
    z.strictObject({
      deployment: z.string(),
      replica: z.int(),
      object: z.string(),
      by: z.enum(['file', 'somebody']),
      fields: z.array(z.strictObject({ field: z.string(), from: z.string(), to: z.string() })),
    }),
  ),
  /** Hosts that could not be looked at; with `target`, that one on a host that could. */
  unreachable: z.array(
    z.strictObject({
      host: z.string(),
      target: z.string().optional(),
      reason: z.string(),
      cure: z.string(),
    }),
  ),
});
export type ObservedFleet = z.infer<typeof ObservedFleet>;

/** Objects of Kubernetes as its API gives them; read leniently where a rule looks at them. */
export const ObservedCluster = z.strictObject({
  name: z.string(),
  /** How commands say that it is meant: as a host of the fleet file, or by a context of kubectl; null: not known, as of a file. */
  reach: z.strictObject({ host: z.string().nullable(), context: z.string() }).nullable().default(null),
  objects: z.array(z.record(z.string(), z.unknown())),
  /** Kinds that are there and were not shown: what they may use is not known. */
  unseen: z.array(z.string()).default([]),
});
export type ObservedCluster = z.infer<typeof ObservedCluster>;

/** A published figure that was computed again from those beside it. */
export const CheckedFigure = z.strictObject({
  file: z.string(),
  name: z.string(),
  source: z.string().nullable(),
  verdict: z.enum(['holds', 'contradicted']),
  arithmetic: z.array(z.string()),
  conclusion: z.string(),
});
export type CheckedFigure = z.infer<typeof CheckedFigure>;

/** All that an audit looks at, of one moment; plain data, so that a recording of it gives the same findings. */
export const Observation = z.strictObject({
  version: z.literal(1),
  at: z.iso.datetime(),
  hosts: z.array(ObservedHost),
  clusters: z.array(ObservedCluster),
  fleet: ObservedFleet.nullable(),
  /** Published figures, with what came out when they were computed again. */
  figures: z.array(CheckedFigure).default([]),
  /** Counters of servers, and since when they stand still. */
  uses: z.array(Use).default([]),
  /** A server that has not been asked for this long is idle. */
  idleMs: z.number().positive().default(usualIdleMs),
});
export type Observation = z.infer<typeof Observation>;
