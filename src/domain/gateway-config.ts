import { z } from 'zod';
import { AsItIs } from './as-it-is.ts';
import { ClientKey } from './client-key.ts';
import { ObserveConfig } from './observe-config.ts';
import { InstanceLimits } from './instance-limits.ts';
import { KeyLimits, ModelPrice, priorities, RateLimits } from './key-limits.ts';
import { Fallback, Percent, PolicyChoice, ReplyModel, Split } from './routing.ts';
import { OnDemandConfig } from './on-demand.ts';

/** One engine the gateway may send to. `slots` null: no limit is known, requests pass at once. */
export const Upstream = z.strictObject({
  id: z.string(),
  deployment: z.string(),
  /** Base URL without a trailing slash and without /v1, http or https; a path prefix is kept. */
  url: z.string(),
  /** Where it is on its own machine, when `url` is only the way there. */
  origin: z
    .strictObject({
      machine: z.string(),
      url: z.string(),
      /** As the machine tells it of itself, so that gateways there and elsewhere have one name for it. */
      identity: z.string().optional(),
    })
    .optional(),
  /** Name the engine wants in `model`; null leaves the client's name. */
  model: z.string().nullable(),
  slots: z.int().positive().nullable(),
  /** Bounds beside the slots. */
  limits: InstanceLimits.optional(),
  /** Path of a file with the engine's own key; replaces the client's Authorization. */
  keyFile: z.string().nullable(),
  /** That key is the operator's own at a server that berth does not run: what lies there beside models is not for every client. */
  lentKey: z.literal(true).optional(),
  /** Path of the authorities (PEM) that are trusted in place of the usual ones. */
  caFile: z.string().optional(),
  /** Endpoint paths the engine has ("/v1/chat/completions", …). */
  paths: z.array(z.string()),
  /** Of what goes to it as it is; absent: its kind says nothing of that. */
  asItIs: AsItIs.optional(),
  metricsPath: z.string().nullable(),
  /** It refuses to be asked for the count of tokens at the end of a stream. */
  streamUsage: z.literal(false).optional(),
  healthPath: z.string().nullable(),
  /** Where it lists the models that it loads itself, and how far each is; absent: it serves what it was started with. */
  modelsPath: z.string().optional(),
  /** File on this machine that it writes to; absent where there is none. */
  logFile: z.string().optional(),
  /** How far a reply is still read when its client has left; null: the request is cut off at once. */
  onClientAbort: z.strictObject({ bytes: z.int().positive(), ms: z.int().positive() }).nullable(),
  /** It takes over from the upstream of this id, and gets that share of its requests so far. */
  takesOver: z.strictObject({ from: z.string(), share: z.number().min(0).max(1) }).optional(),
});
export type Upstream = z.infer<typeof Upstream>;

/** A model name that clients may ask for, and the deployments behind it by weight. */
export const Route = z.strictObject({
  name: z.string(),
  to: z.array(z.strictObject({ deployment: z.string(), weight: z.number().positive() })).min(1),
  aliasOf: z.string().nullable(),
  /** Tokens that one request may take at every deployment behind it; null or absent when not all of them are known. */
  context: z.int().positive().nullable().optional(),
  /** What replies name as their model; absent: what the engine writes. */
  replyModel: ReplyModel.optional(),
  /** How an instance is chosen, whichever deployment it is; without one each deployment's own counts. */
  policy: PolicyChoice.optional(),
  /** Holds clients to their deployment; without it each request is dealt out by itself. */
  split: Split.optional(),
  /** What is measured of its requests and kept by client: it is an experiment. */
  measure: z.string().optional(),
  /** A deployment that gets copies of so many of a hundred requests; its replies are dropped. */
  shadow: z.strictObject({ deployment: z.string(), percent: Percent }).optional(),
  /** How long its requests may wait while a deployment is held; absent: as long as in a queue. */
  holdMs: z.int().positive().optional(),
  /** Band of its requests in a queue, as far as the key may. */
  priority: z.enum(priorities).optional(),
  /** Other routes, by name, for what this one cannot serve. */
  fallback: Fallback.optional(),
});
export type Route = z.infer<typeof Route>;

/** What callers may take, beside what their own keys say. */
export const Quotas = z.strictObject({
  /** For every key that says nothing itself; without keys, for all callers together. */
  eachKey: KeyLimits,
  /** By route name, over all keys. */
  models: z.record(z.string(), RateLimits),
  /** By route name; a model without a price costs nothing. */
  prices: z.record(z.string(), ModelPrice),
  /** SQLite file that keeps what was spent; null: forgotten at the end of the process. */
  usageFile: z.string().nullable(),
  /** Path of a file with the URL of a Redis that several gateways count in together; null: each counts alone. */
  sharedUrlFile: z.string().nullable(),
});
export type Quotas = z.infer<typeof Quotas>;

/** Paths of PEM files. With `clientCaFile`, clients must show a certificate of one of the authorities in it. */
export const TlsFiles = z.strictObject({
  certFile: z.string(),
  keyFile: z.string(),
  clientCaFile: z.string().nullable(),
  /** A certificate whose common name is the name of a key stands for that key. */
  clientNames: z.boolean().optional(),
});
export type TlsFiles = z.infer<typeof TlsFiles>;

/**
 * Everything the gateway process needs, as one value that is swapped whole on reload.
 * Written 0600 by `up`, read at start and again when it is asked to, or on SIGHUP. Keys are SHA-256 hashes, never the keys.
 */
export const GatewayConfig = z.strictObject({
  version: z.literal(1),
  fleet: z.string(),
  listen: z
    .array(
      z.strictObject({
        address: z.string(),
        port: z.int().min(0).max(65535),
        /** For berth itself: in the clear on loopback, and for keys of control alone. */
        inside: z.boolean().optional(),
      }),
    )
    .min(1),
  /** For all addresses but those inside. */
  tls: TlsFiles.optional(),
  /** Origins whose pages may use the gateway. */
  corsOrigins: z.array(z.string()).optional(),
  /** Names in `Host` that requests may come with beside those of loopback; absent: any. */
  hosts: z.array(z.string()).optional(),
  routes: z.array(Route),
  upstreams: z.array(Upstream),
  /** By deployment: how an instance is chosen; least loaded where nothing is said. */
  policies: z.record(z.string(), PolicyChoice).optional(),
  /** Requests that show no key, or one that is not known, are served too. */
  anonymous: z.boolean(),
  keys: z.array(ClientKey),
  quotas: Quotas.optional(),
  observe: ObserveConfig.optional(),
  /** Streams that wait get a comment so often; absent: none. */
  waitCommentsMs: z.int().positive().optional(),
  limits: z.strictObject({
    bodyBytes: z.int().positive(),
    /** Cap over all request bodies held at once. */
    heldBytes: z.int().positive(),
    queue: z.int().min(0),
    /** Cap over the bodies of those that wait for one deployment; absent: none of its own. */
    queueBytes: z.int().positive().optional(),
    queueMs: z.int().positive(),
    connectMs: z.int().positive(),
    idleMs: z.int().positive(),
    /** Of an engine before its reply begins; absent: none. */
    firstByteMs: z.int().positive().optional(),
    drainMs: z.int().min(0),
    /** How long a client may leave unread what waits for it; absent: ten minutes. */
    clientMs: z.int().positive().optional(),
    /** Between two questions to an engine's healthPath. */
    probeMs: z.int().positive(),
  }),
  /** SQLite file that keeps what experiments count; absent: there are none. */
  experimentsFile: z.string().optional(),
  /** Deployments that nothing starts before somebody does. */
  stoppedByHand: z.array(z.string()).optional(),
  /** Absent: every deployment runs all the time. */
  onDemand: OnDemandConfig.optional(),
});
export type GatewayConfig = z.infer<typeof GatewayConfig>;
