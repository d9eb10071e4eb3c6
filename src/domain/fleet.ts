import { Experiment } from './experiment.ts';
import { z } from 'zod';
import { Cors, Tls } from './gateway-door.ts';
import { becomes, ClusterPlace, SshPlace } from './host-access.ts';
import { AccessLog, CaptureOptions, Metrics, Tracing } from './gateway-observe.ts';
import { InstanceLimits } from './instance-limits.ts';
import { KeyLimits, ModelPrice, RateLimits } from './key-limits.ts';
import { Suppression } from './audit/suppression.ts';
import { Resources } from './resources.ts';
import { routeOptions } from './routing.ts';
import { ModelPlace } from './model-place.ts';
import { MemoryOption, OnDemandOptions } from './on-demand-options.ts';
import {
  ByteSize,
  Duration,
  ListenAddress,
  Port,
  PortRange,
  PositiveByteSize,
  PositiveDuration,
  NamedAnySecret,
  GatewaySecret,
  SharedStore,
  TableSecret,
} from './units.ts';

/**
 * The fleet file. What engines, targets and benchmarks may say comes from their registries, so the schema is a function of theirs.
 * References between parts (a deployment's model, a route's deployments) are checked by the loader, which knows the lines.
 */
export interface FleetParts<
  Engine extends z.ZodType,
  Target extends z.ZodType,
  Benchmark extends z.ZodType,
  Policy extends z.ZodType,
  Publisher extends z.ZodType,
> {
  readonly engine: Engine;
  readonly target: Target;
  readonly benchmark: Benchmark;
  /** Who is told of runs. */
  readonly publisher: Publisher;
  /** How the gateway chooses among replicas. */
  readonly policy: Policy;
}

export const nameForm = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;

/** The form of a name in words, for who wrote another one. */
export const nameRule =
  'A name has lower-case letters, digits, dots, dashes and underscores, 63 at most, a letter or digit at both ends.';

/** Names of fleets, hosts, models and deployments: they become file names, labels and host names. */
export const Name = z
  .string()
  .regex(nameForm)
  .meta({ examples: ['mistral-7b'] });

const HostPrice = z
  .strictObject({
    hour: z.number().positive().optional().describe('What an hour of it costs, whether or not it is used.'),
    diskMonth: z
      .number()
      .positive()
      .optional()
      .describe('What a GiB of its disk, or of its claims, costs a month.'),
  })
  .describe('What this host costs, in US dollars: "berth audit" then says what faults cost.');

export const Host = z
  .strictObject({
    local: z.literal(true).optional().describe('The machine that berth runs on; the default without `ssh`.'),
    ssh: SshPlace.optional().describe(
      'Another machine, reached by the ssh of this one and its configuration: "USER@HOST", "HOST:PORT".',
    ),
    become: z
      .enum(becomes)
      .default('none')
      .describe(
        'Whether berth may use "sudo -n" there, for what belongs to the system; "none" (the default) stays with what belongs to the user.',
      ),
    ports: PortRange.optional().describe('Ports for engines that name none (default 18400-18999).'),
    reserve: z.array(Port).default([]).describe('Ports of that machine that berth must leave free.'),
    price: HostPrice.optional(),
    kubernetes: ClusterPlace.optional(),
  })
  .describe('A machine or a cluster that runs engines.');
export type Host = z.infer<typeof Host>;

export const Model = z
  .strictObject({
    source: z
      .string()
      .min(1)
      .meta({ examples: ['./model.gguf'] })
      .describe(
        'Path of the model file, relative to the folder of this file, or below "~/"; or where "berth pull" fetches it from: "hf://OWNER/NAME", "s3://BUCKET/PREFIX", "https://HOST/FILE".',
      ),
    mmproj: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Path of the projector that lets the model see images, or where it is fetched from, as a source: a file such as "hf://OWNER/NAME/mmproj-F16.gguf".',
      ),
    at: z
      .record(Name, ModelPlace)
      .default({})
      .describe('Where it lies already, by the name of a host that is a cluster.'),
    size: ByteSize.optional().describe(
      'Size of its files, for where berth cannot look: on the disks and in the claims of a cluster.',
    ),
    secret: NamedAnySecret.optional().describe(
      'Where the key lies that its place asks for, such as a token of Hugging Face.',
    ),
  })
  .describe('The files of one model.');
export type Model = z.infer<typeof Model>;

const RouteTarget = z
  .union([
    Name,
    z
      .record(Name, z.number().positive().describe('Weight of this deployment among the others.'))
      .refine((weights) => Object.keys(weights).length > 0, {
        error: 'It names no deployment.',
        params: { cure: 'Name one, with its weight among the others.' },
      }),
  ])
  .describe('One deployment, or several with their weights.');

function routesSchema<Policy extends z.ZodType>(policy: Policy) {
  const entry = z
    .union([
      Name,
      z.strictObject({
        to: RouteTarget,
        aliases: z.array(z.string().min(1)).default([]).describe('Other names for the same route.'),
        policy: policy.optional().describe("How a replica is chosen, in place of the deployment's own way."),
        ...routeOptions,
      }),
    ])
    .describe('A model name that clients may ask for, and the deployments that answer.');
  return z.record(z.string().min(1), entry).default({}).describe('Model names, beside one per deployment.');
}

export const GatewayLimits = z.strictObject({
  body: PositiveByteSize.optional().describe('Largest request body (default 64Mi).'),
  held: PositiveByteSize.optional().describe('All request bodies held at once (default 256Mi).'),
  queue: z
    .int()
    .min(0)
    .optional()
    .describe('Requests that may wait for a slot, per deployment (default 256).'),
  queueSize: PositiveByteSize.optional().describe(
    'Bodies of all that wait, per deployment (default: as `held`).',
  ),
  queueTime: Duration.refine((ms) => ms > 0, {
    error: 'It must be longer than nothing.',
    params: { cure: 'Write "queue: 0" where nobody is to wait.' },
  })
    .optional()
    .describe('How long one may wait (default 60s).'),
  connect: PositiveDuration.optional().describe('Time to connect to an engine (default 5s).'),
  firstByte: PositiveDuration.optional().describe(
    'Longest silence of an engine before a reply begins; by default none, since a long prompt is no fault.',
  ),
  idle: PositiveDuration.optional().describe('Longest silence of an engine within a reply (default 10m).'),
  client: PositiveDuration.optional().describe(
    'How long a client may leave unread what waits for it, before it is cut off (default 10m).',
  ),
  eachKey: KeyLimits.optional().describe(
    'What each key may take, bound by bound where it says nothing itself; without keys, all callers together.',
  ),
  models: z
    .record(z.string().min(1), RateLimits.describe('What all callers together may ask of this model.'))
    .optional()
    .describe('Limits of models by name, over all keys.'),
  shared: SharedStore.optional().describe(
    'A Redis in which several gateways count the limits of keys and models together, and divide what instances take.',
  ),
  drain: Duration.optional().describe('Time that open requests get when the gateway ends (default 30s).'),
  probe: PositiveDuration.optional().describe(
    'How often an engine is asked whether it is well (default 5s).',
  ),
});

const AbortDrain = z
  .strictObject({
    bytes: PositiveByteSize.default(1024 * 1024).describe('Read no more than this (default 1Mi).'),
    time: PositiveDuration.default(60_000).describe('Read no longer than this (default 60s).'),
  })
  .describe('How far it is read on.');

/** What becomes of a request whose client has left: null cuts it off. */
export const OnClientAbort = z
  .union([z.enum(['close', 'drain']), z.strictObject({ drain: AbortDrain })])
  .transform((how) => {
    if (how === 'close') return null;
    const { bytes, time } = how === 'drain' ? AbortDrain.parse({}) : how.drain;
    return { bytes, ms: time };
  })
  .describe(
    'What becomes of a request whose client has left: "close" (the default) cuts it off, which frees the engine at once; "drain" reads its reply on, within bounds, for an engine that takes harm from being cut off.',
  )
  .meta({ examples: ['drain'] });

const Gateway = z
  .strictObject({
    listen: z
      .array(ListenAddress)
      .min(1)
      .default([{ address: '127.0.0.1', port: 8484 }])
      .describe('Addresses of the OpenAI-compatible API.'),
    host: Name.optional().describe(
      'A cluster under `hosts` in which "berth apply" runs the gateway too, as pods before the engines of that namespace.',
    ),
    replicas: z.int().min(1).max(100).optional().describe('In a cluster: how many pods it is (default 2).'),
    image: z
      .string()
      .min(1)
      .optional()
      .meta({ examples: ['registry.lab/berth:0.1.0'] })
      .describe('In a cluster: image of berth, as the Containerfile makes it.'),
    routes: routesSchema(z.unknown()),
    keys: z
      .record(Name, GatewaySecret)
      .default({})
      .describe(
        'API keys by name, each where it lies, beside those of "berth keys". Without any, only loopback may be listened on.',
      ),
    masterKey: GatewaySecret.optional().describe(
      'A key, where it lies, that opens the control paths of the gateway too; it is called "master" and bounded by nothing.',
    ),
    prices: z
      .record(z.string().min(1), ModelPrice.describe('What this model costs, in US dollars.'))
      .optional()
      .describe(
        'Prices of models by name, for budgets in money. A route without one costs what the deployment costs that serves it.',
      ),
    tls: Tls.optional(),
    cors: Cors.optional(),
    hosts: z
      .array(
        z
          .string()
          .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)
          .meta({ examples: ['llm.lab'] }),
      )
      .default([])
      .describe(
        'Names, without a port, that a gateway without keys on loopback answers to beside those of loopback; others are refused, so that no foreign page reaches it under a name of its own.',
      ),
    allowAnonymous: z
      .boolean()
      .default(false)
      .describe(
        'Serve requests without a key too. On an address that others can reach, "berth up --allow-anonymous" has to say so as well.',
      ),
    waitComments: PositiveDuration.optional().describe(
      'Send a stream that waits in the queue, for its model to load or for the engine to read its prompt a comment so often (such as 15s), which keeps proxies from closing it. Its status is 200 from then on, and errors come as events (default: none are sent).',
    ),
    limits: GatewayLimits.default({}).describe('Bounds on requests.'),
    accessLog: AccessLog.optional(),
    onDemand: OnDemandOptions.optional(),
    metrics: Metrics.optional(),
    tracing: Tracing.optional(),
    capture: CaptureOptions.optional(),
  })
  .describe('The one door in front of all deployments.');

export const Console = z
  .strictObject({
    listen: ListenAddress.default({ address: '127.0.0.1', port: 8485 }).describe(
      'Address of control API and console.',
    ),
  })
  .describe('The web console and control API.');
export type Console = z.infer<typeof Console>;

const AuditSection = z
  .strictObject({
    suppress: z.array(Suppression).default([]).describe('Findings that are left out, each with its reason.'),
    figures: z
      .array(z.string().min(1))
      .default([])
      .describe('Files of published figures as "berth check-claims" takes them, relative to this file.'),
    idle: PositiveDuration.optional().describe(
      'A server that nobody has asked for this long is idle (default 7d).',
    ),
  })
  .describe('What "berth audit" leaves out, and what it looks at beside the fleet.')
  .prefault({});

function deploymentSchema<
  Engine extends z.ZodType,
  Target extends z.ZodType,
  Benchmark extends z.ZodType,
  Policy extends z.ZodType,
  Publisher extends z.ZodType,
>({ engine, target, policy }: FleetParts<Engine, Target, Benchmark, Policy, Publisher>) {
  return z
    .strictObject({
      model: Name.optional().describe('A name under `models`.'),
      host: Name.optional().describe(
        'A name under `hosts`; the only one, or the local machine, when left out.',
      ),
      engine: engine.describe('Which server answers, and how it is set.'),
      target: target.optional().describe('How the engine is run (default: a process of its own).'),
      port: Port.optional().describe("Pins the port; without it one is taken from the host's `ports`."),
      replicas: z.int().min(1).max(64).default(1).describe('How many of it run.'),
      gpus: z.int().min(0).max(64).default(0).describe('How many GPUs each replica is given.'),
      resources: Resources.optional().describe('CPU and memory of each replica.'),
      policy: policy
        .optional()
        .describe('How the gateway chooses among the replicas (default: least-loaded).'),
      load: z
        .enum(['always', 'on-demand'])
        .default('always')
        .describe('Whether it always runs, or is started by its first request.'),
      ttl: Duration.prefault('10m').describe(
        'On demand: unloaded after so long without a request; 0s: only to make room.',
      ),
      memory: MemoryOption.optional().describe(
        'On demand: what each replica needs (default: computed from the model file).',
      ),
      onClientAbort: OnClientAbort.prefault('close'),
      hungAfter: Duration.prefault('60s').describe(
        '"berth up" restarts an engine that runs and has not answered for so long; while requests are under way there, only after `gateway.limits.idle`; 0s: never.',
      ),
      ownKey: z
        .boolean()
        .default(false)
        .describe(
          'Give its engines an API key that the gateway alone knows, where others could reach them beside it.',
        ),
      protect: z
        .boolean()
        .default(false)
        .describe(
          'No plan stops or replaces its engines, and no "berth down" ends them, unless the command names it (--only, --restart); also once the file has lost it.',
        ),
      limits: InstanceLimits.optional().describe('What bounds each replica, beside its slots.'),
    })
    .describe('One served model.');
}

export function fleetSchema<
  Engine extends z.ZodType,
  Target extends z.ZodType,
  Benchmark extends z.ZodType,
  Policy extends z.ZodType,
  Publisher extends z.ZodType,
>(parts: FleetParts<Engine, Target, Benchmark, Policy, Publisher>) {
  return z
    .strictObject({
      version: z.literal(1).describe('Version of this format: 1.'),
      fleet: Name.describe('Name of the fleet; marks on everything berth starts carry it.'),
      id: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{2,38}[a-z0-9]$/)
        .meta({ examples: ['k3x9q2'] })
        .optional()
        .describe(
          'Tells fleets of one name apart; "berth init" writes it. Without it the place of the file does: a file that moves is another fleet then.',
        ),
      imports: z.array(z.string().min(1)).default([]).describe('Files that this one lies over, in order.'),
      hosts: z.record(Name, Host).default({}).describe('Machines by name; without any, this one is "local".'),
      secrets: z
        .record(Name, TableSecret)
        .default({})
        .describe(
          'Where secrets lie, by name: wherever a secret is wanted, its name can stand in place of the reference.',
        ),
      models: z.record(Name, Model).default({}).describe('Models by name.'),
      defaults: z
        .record(z.string(), z.unknown())
        .default({})
        .describe('Keys of a deployment, for those that do not say otherwise.'),
      deployments: z.record(Name, deploymentSchema(parts)).default({}).describe('What is served, by name.'),
      gateway: Gateway.extend({ routes: routesSchema(parts.policy) })
        .describe('The one door in front of all deployments.')
        .prefault({}),
      console: Console.prefault({}),
      benchmarks: z.record(Name, parts.benchmark).default({}).describe('Benchmarks by name.'),
      publishers: z
        .record(Name, parts.publisher)
        .default({})
        .describe('Places that runs are told to, by name.'),
      experiments: z.record(Name, Experiment).default({}).describe('Experiments by name.'),
      audit: AuditSection,
    })
    .describe('A fleet of LLM servers.');
}
