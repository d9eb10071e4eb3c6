import { z } from 'zod';
import { ClusterGateway } from './cluster-gateway.ts';
import { Finding } from './finding.ts';
import { HostAccess } from './host-access.ts';
import { Mark, ObjectId } from './instance.ts';
import { AnySecret } from './secret.ts';
import { LaunchSpec } from './launch-spec.ts';

/** Why an action is planned. `field` names what the user changed ("engine.slots"); null when nothing in the file did. */
export const Reason = z.strictObject({ field: z.string().nullable(), text: z.string() });
export type Reason = z.infer<typeof Reason>;

/** What is to run: everything a target needs to start it. */
export const Wanted = z.strictObject({
  target: Mark.shape.target,
  address: z.string(),
  port: z.int(),
  /** The file names that port. */
  pinned: z.literal(true).optional(),
  spec: LaunchSpec,
  /** What the user states, flat ("engine.slots": 4): later plans compare with it. */
  declared: z.record(z.string(), z.unknown()),
});
export type Wanted = z.infer<typeof Wanted>;

/** What is there and is to end. */
export const Running = z.strictObject({
  target: Mark.shape.target,
  object: ObjectId,
  address: z.string(),
  port: z.int(),
  reached: Mark.shape.reached,
  stop: LaunchSpec.shape.stop,
  /** How many GPUs it holds; absent: none. */
  gpus: z.int().positive().optional(),
});
export type Running = z.infer<typeof Running>;

const place = { deployment: z.string(), replica: z.int().min(0), host: z.string(), reasons: z.array(Reason) };

/**
 * `replace` starts the new engine while the old one still serves where it says `beside`; else the old one makes room
 * first. `keep` is listed so that a plan shows the whole fleet.
 */
export const Action = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('start'), ...place, wanted: Wanted }),
  z.strictObject({
    do: z.literal('stop'),
    ...place,
    running: Running,
    /** Something may come into its place again, for which what ran before is kept. */
    returns: z.literal(true).optional(),
    /** Its object stays and stands still. */
    parks: z.literal(true).optional(),
  }),
  z.strictObject({
    do: z.literal('replace'),
    ...place,
    wanted: Wanted,
    running: Running,
    beside: z.boolean(),
  }),
  z.strictObject({ do: z.literal('keep'), ...place, running: Running }),
]);
export type Action = z.infer<typeof Action>;

const gatewayPlace = { host: z.string(), reasons: z.array(Reason) };

/** What becomes of the gateway in a cluster. One that is replaced is rolled by the cluster itself: the new pods come first. */
export const GatewayAction = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('start'), ...gatewayPlace, wanted: ClusterGateway }),
  z.strictObject({ do: z.literal('replace'), ...gatewayPlace, wanted: ClusterGateway }),
  z.strictObject({ do: z.literal('stop'), ...gatewayPlace }),
  z.strictObject({ do: z.literal('keep'), ...gatewayPlace, wanted: ClusterGateway }),
]);
export type GatewayAction = z.infer<typeof GatewayAction>;

/** What the gateway of a running `berth up` takes over of the file, at once and without a request that fails. */
export const GatewayReload = z.strictObject({
  do: z.enum(['reload', 'keep']),
  url: z.string(),
  reasons: z.array(Reason),
});
export type GatewayReload = z.infer<typeof GatewayReload>;

/** A change that the file asks for too, and that the plan does not make. */
export const LeftOut = z.strictObject({ do: z.enum(['start', 'stop', 'replace']), ...place });
export type LeftOut = z.infer<typeof LeftOut>;

/** A model that is fetched before anything is touched: it has an address, and its engines here would find no file. */
export const Fetch = z.strictObject({
  deployment: z.string(),
  source: z.string(),
  /** Where the key of its place lies. */
  secret: AnySecret.nullable(),
});
export type Fetch = z.infer<typeof Fetch>;

/** One of which something is kept on a host, for going back. */
export const KeptPlace = z.strictObject({
  host: z.string(),
  deployment: z.string(),
  replica: z.int().min(0),
});
export type KeptPlace = z.infer<typeof KeptPlace>;

/**
 * The very value that `apply` executes. `basis` says what it was made from: the files by hash and the objects seen.
 * When either has changed since, the plan is stale and is refused.
 */
export const Plan = z.strictObject({
  version: z.literal(1),
  fleet: z.string(),
  fleetId: z.string(),
  basis: z.strictObject({
    /** `imported`: named by another one of them. */
    files: z.array(
      z.strictObject({ path: z.string(), sha256: z.string(), imported: z.literal(true).optional() }),
    ),
    objects: z.array(ObjectId),
    /** A hash of the mark of each of them: one may be changed in its place and keep its name. */
    marks: z.array(z.string()).optional(),
  }),
  /** The hosts that it concerns, by their names in the file. */
  hosts: z.record(z.string(), HostAccess),
  actions: z.array(Action),
  /** The gateway in a cluster, after the engines; absent where the fleet neither wants nor has one. */
  gateways: z.array(GatewayAction).optional(),
  /** Of the gateway here; absent where no `berth up` of these files runs. */
  reload: GatewayReload.optional(),
  fetch: z.array(Fetch).optional(),
  /** The deployments that it is confined to; absent: all of the fleet. */
  only: z.array(z.string()).optional(),
  leftOut: z.array(LeftOut).optional(),
  /** What ran before in places that the file no longer has and where nothing is, which is forgotten at the end; absent: none. */
  forgets: z.array(KeptPlace).optional(),
  /** Changes that are not made since they would end a protected engine. */
  held: z.array(LeftOut).optional(),
  /** Deployments that are started by their first request: what of them runs may change at any time. */
  onDemand: z.array(z.string()).optional(),
  /** Hosts, or targets on them, that deployments are for and that did not answer: nothing there is planned. `code` is that of the fault. */
  unreached: z
    .array(z.strictObject({ host: z.string(), target: z.string().optional(), code: z.string() }))
    .optional(),
  /** Names of the environment variables that hold secrets of the fleet: no engine inherits them. */
  withheld: z.array(z.string()),
  findings: z.array(Finding),
});
export type Plan = z.infer<typeof Plan>;
