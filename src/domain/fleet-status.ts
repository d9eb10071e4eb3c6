import { z } from 'zod';
import { Finding } from './finding.ts';
import { Route } from './gateway-config.ts';

/**
 * `ready` answers · `starting` runs and may still load · `failing` runs and does not answer, past its start time-out ·
 * `ending` runs and is asked to end, or was by a command that was killed over it · `stopped` should run and does not ·
 * `unloaded` is started by its next request · `fetching` was, and its model is on its way here ·
 * `unreachable` is a server elsewhere that does not answer.
 */
export const replicaStates = [
  'ready',
  'starting',
  'failing',
  'ending',
  'stopped',
  'unloaded',
  'fetching',
  'unreachable',
] as const;

export const ReplicaStatus = z.strictObject({
  replica: z.int().min(0),
  state: z.enum(replicaStates),
  /** Base URL without /v1; null while it does not run. */
  url: z.string().nullable(),
  /** What it runs as, in its target's words: "process 4242", "unit mistral.service"; null where there is nothing. */
  object: z.string().nullable(),
  pid: z.int().nullable(),
  /** How often its target or a running `berth up` has started it again; null: nobody counts. */
  restarts: z.int().nullable(),
  port: z.int().nullable(),
  since: z.iso.datetime().nullable(),
  rssBytes: z.int().nullable(),
  /** Cores that it uses now, where its target tells that: a cluster with metrics. */
  cores: z.number().optional(),
  slots: z.int().nullable(),
  /** True when the file asks for something else than what runs: the next apply replaces it. */
  outdated: z.boolean(),
});
export type ReplicaStatus = z.infer<typeof ReplicaStatus>;

export const DeploymentStatus = z.strictObject({
  name: z.string(),
  engine: z.string(),
  /** Null for a server that berth only routes to. */
  target: z.string().nullable(),
  host: z.string(),
  model: z.string().nullable(),
  replicas: z.array(ReplicaStatus),
});
export type DeploymentStatus = z.infer<typeof DeploymentStatus>;

const Process = z.strictObject({
  state: z.enum(['serving', 'stopped']),
  url: z.string().nullable(),
  pid: z.int().nullable(),
});

/** The gateway in a cluster: how many of its pods are ready, and its address there. */
export const ClusterGatewayStatus = z.strictObject({
  host: z.string(),
  state: z.enum(['serving', 'starting', 'stopped', 'unreachable']),
  ready: z.int(),
  replicas: z.int(),
  url: z.string().nullable(),
  /** What a pod that is not ready waits for, as the end of a sentence. */
  waits: z.string().nullable(),
});
export type ClusterGatewayStatus = z.infer<typeof ClusterGatewayStatus>;

/** A service of KServe's newer kind, as KServe itself tells it; it is not of the fleet. */
export const LlmServiceStatus = z.strictObject({
  name: z.string(),
  state: z.enum(['ready', 'not ready', 'stopped', 'unknown']),
  /** Of its condition "Ready", unless that holds. */
  reason: z.string().nullable(),
  url: z.string().nullable(),
  /** Where its model comes from. */
  model: z.string().nullable(),
});
export type LlmServiceStatus = z.infer<typeof LlmServiceStatus>;

/** Those of the namespace of a host; `unseen`: why they cannot be listed. */
export const LlmServicesStatus = z.strictObject({
  host: z.string(),
  namespace: z.string(),
  services: z.array(LlmServiceStatus),
  unseen: z.string().nullable(),
});
export type LlmServicesStatus = z.infer<typeof LlmServicesStatus>;

/** The fleet as the file wants it beside what runs: `berth status --json`, the control API and the console. */
export const FleetStatus = z.strictObject({
  version: z.literal(1),
  fleet: z.string(),
  at: z.iso.datetime(),
  deployments: z.array(DeploymentStatus),
  routes: z.array(Route),
  gateway: Process,
  /** Absent where the file wants none. */
  clusterGateway: ClusterGatewayStatus.optional(),
  console: Process,
  /** LLMInferenceServices beside the fleet's engines of target kserve; absent where there are none. */
  llmServices: z.array(LlmServicesStatus).optional(),
  /** Marked engines on this machine that belong to other fleets. */
  foreign: z.int().min(0),
  findings: z.array(Finding),
});
export type FleetStatus = z.infer<typeof FleetStatus>;
