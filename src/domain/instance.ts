import { z } from 'zod';
import { FilePart } from './file-part.ts';
import { LaunchSpec } from './launch-spec.ts';

/** Who keeps the server running: found from cgroup, container id or login session. A supervisor is what starts again in place of systemd. */
export const Owner = z.strictObject({
  kind: z.enum(['berth', 'system-unit', 'user-unit', 'container', 'pod', 'supervisor', 'session', 'unknown']),
  name: z.string(),
  user: z.string().nullable(),
});
export type Owner = z.infer<typeof Owner>;

const Reached = z.strictObject({ address: z.string(), port: z.int() });
export type Reached = z.infer<typeof Reached>;

/**
 * Hashes of the secrets that it was started with, keyed so that they tell nothing: `by` names the key, which one machine alone has.
 * Marks that another machine wrote cannot be held against this one's secrets.
 */
export const SecretHashes = z.strictObject({ by: z.string(), of: z.record(z.string(), z.string()) });
export type SecretHashes = z.infer<typeof SecretHashes>;

/** Which fleet, deployment and replica an object belongs to, written on the object itself. */
export const Mark = z.strictObject({
  fleet: FilePart,
  fleetId: FilePart,
  deployment: FilePart,
  replica: z.int().min(0),
  /** What runs it, with its options; told apart by `kind`. */
  target: z.looseObject({ kind: z.string() }),
  /** Where it was told to listen; read back, so that a port that was chosen once stays. */
  address: z.string(),
  port: z.int(),
  /** Where it is asked, where that is another place: read from the cluster each time, never written on an object. */
  reached: Reached.optional(),
  /** File that its output is appended to. */
  logFile: z.string(),
  /** What the user stated when it was started, flat ("engine.slots": 4): only a difference in this is a reason to restart. */
  declared: z.record(z.string(), z.unknown()),
  spec: LaunchSpec,
  secrets: SecretHashes.optional(),
  /** Of marks of earlier versions; nobody reads it. */
  previous: LaunchSpec.nullish(),
});
export type Mark = z.infer<typeof Mark>;

/** Names a process safely across pid reuse and reboots. */
export const ProcessId = z.strictObject({ bootId: z.string(), pid: z.int(), startTicks: z.int() });
export type ProcessId = z.infer<typeof ProcessId>;

/**
 * Names one object of a target for good. `id` is compared as text and is never given to another object; `name` is for
 * people: "process 4242", "unit mistral.service", "container 3f2a…". Two machines may each have one of the same id.
 */
export const ObjectId = z.strictObject({
  target: z.string(),
  id: z.string(),
  name: z.string(),
  /** The machine that it is on (`machineOf`); absent on the one that berth runs on. */
  on: z.string().optional(),
});
export type ObjectId = z.infer<typeof ObjectId>;

/** The same text for the same object, and for no other. */
export function objectKey({ target, id, on }: ObjectId): string {
  return `${on ?? ''} ${target} ${id}`;
}

export function sameObject(a: ObjectId, b: ObjectId): boolean {
  return objectKey(a) === objectKey(b);
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  /** Killed for the memory that it took, where that can be known. */
  readonly outOfMemory?: boolean;
  /** The init container that ended, by its name; absent: the engine itself did. */
  readonly container?: string;
}

/** One object of a fleet as its target sees it. Unknown is null, never 0. */
export const Instance = z.strictObject({
  /** Its machine: "local", or as `machineOf` names it. Targets say "local" of every one; who observes several sets it. */
  host: z.string(),
  object: ObjectId,
  /** False for one that is there and does not run: a unit that failed, a container that ended. */
  alive: z.boolean(),
  /** Why it does not run or not well, in words; null when nothing is known to be wrong. */
  trouble: z.string().nullable(),
  /** It stands still on purpose, as the object itself says: whoever wants it to run has to say so. */
  parked: z.literal(true).optional(),
  /** Its main process, where that is one of this machine. */
  process: ProcessId.nullable(),
  engine: z.string(),
  model: z.string().nullable(),
  owner: Owner,
  /** Listening sockets; `netns` is the namespace's inode, since the same port in two namespaces is no conflict. */
  endpoints: z.array(z.strictObject({ address: z.string(), port: z.int(), netns: z.string() })),
  rssBytes: z.int().nullable(),
  startedAt: z.iso.datetime().nullable(),
  mark: Mark.nullable(),
});
export type Instance = z.infer<typeof Instance>;
