import { z } from 'zod';
import { Finding } from './finding.ts';
import { Hardware } from './hardware.ts';
import { Owner, ProcessId } from './instance.ts';

const bytes = z.int().min(0).nullable();

export const ScannedEndpoint = z.strictObject({
  address: z.string(),
  port: z.int(),
  /** Inode of the network namespace: the same port in two namespaces is no conflict. */
  netns: z.string(),
  /** True in the namespace of this very program: only such an endpoint can be asked. */
  here: z.boolean(),
});
export type ScannedEndpoint = z.infer<typeof ScannedEndpoint>;

/**
 * `answers` · `loading` says so itself · `silent` listens and does not answer, or does not listen ·
 * `unknown` cannot be asked from here.
 */
export const serverStates = ['answers', 'loading', 'silent', 'unknown'] as const;

/** One model server that runs here, whoever started it. Unknown is null, never 0. */
export const ScannedServer = z.strictObject({
  engine: z.string(),
  title: z.string(),
  /** As the command line has it, or else as the server says. */
  model: z.string().nullable(),
  /** Device and inode of the model's file, or the name of a repository, with its revision where that is known: equal for the same model. */
  modelId: z.string().nullable(),
  modelBytes: bytes,
  process: ProcessId,
  /** Secrets replaced. */
  command: z.array(z.string()),
  /** It computes for a server and takes no requests itself: one whose server is elsewhere, unknown or gone. */
  worker: z.boolean().optional(),
  owner: Owner,
  /** Its unit, container or pod keeps something else too, which would end with it. */
  shared: z.boolean().optional(),
  /** Its unit was made by systemd-run, whatever its name, and has no file that outlives it. */
  transient: z.boolean().optional(),
  mark: z.strictObject({ fleet: z.string(), deployment: z.string(), replica: z.int() }).nullable(),
  /** Port that its command line names. */
  wantedPort: z.int().nullable(),
  /** Address that its command line or its variables name, where they name one. */
  wantedHost: z.string().optional(),
  /** Network namespace that it lives in; null where rights hide it. */
  netns: z.string().nullable(),
  endpoints: z.array(ScannedEndpoint),
  state: z.enum(serverStates),
  /** What was asked and what came, one line each. */
  evidence: z.array(z.string()),
  served: z.array(z.string()),
  version: z.string().nullable(),
  /** With everything it started: resident memory, and the part of it that is mapped files (mostly weights). */
  rssBytes: bytes,
  rssFileBytes: bytes,
  gpuBytes: bytes,
  /** What it holds on each GPU, where the driver's tool tells. */
  gpus: z.array(z.strictObject({ index: z.int(), memoryBytes: bytes })),
  /** CPU time that its control group allows, in cores; null without a limit. */
  quotaCores: z.number().positive().nullable(),
  /** Memory that its control group allows; null without a limit. */
  memoryLimitBytes: bytes,
  /** How often the kernel has ended a process of its control group for memory. */
  memoryKills: z.int().nullable(),
  /** What it says of itself: requests at once, tokens of each, and tokens that it read and wrote since it started. */
  told: z.strictObject({
    slots: z.int().nullable(),
    context: z.int().nullable(),
    tokens: z.number().nullable(),
  }),
  /** Variables of its environment that its engine does not read, with what it reads in their place. */
  ignored: z.array(z.strictObject({ name: z.string(), meant: z.string() })),
  /** Files of secrets that other users may read. */
  openSecrets: z.array(z.string()),
  startedAt: z.iso.datetime(),
  options: z.record(z.string(), z.unknown()),
  keyed: z.boolean().nullable(),
  exposes: z.array(z.string()),
  /** Servers and workers that it started itself. */
  children: z.array(
    z.strictObject({
      pid: z.int(),
      engine: z.string(),
      model: z.string().nullable(),
      ports: z.array(z.int()),
    }),
  ),
});
export type ScannedServer = z.infer<typeof ScannedServer>;

/** What `berth` without a file finds: `berth scan --json`. */
export const ScanReport = z.strictObject({
  version: z.literal(1),
  at: z.iso.datetime(),
  tookMs: z.int(),
  servers: z.array(ScannedServer),
  findings: z.array(Finding),
  hardware: Hardware,
  looked: z.strictObject({
    processes: z.int(),
    listeners: z.int(),
    namespaces: z.int(),
    engines: z.array(z.string()),
  }),
  /** What the rights of this user kept from us. */
  hidden: z.strictObject({
    commandLines: z.int(),
    details: z.int(),
    listeners: z.int(),
    others: z.boolean(),
    /** True when root asked: then what is hidden lies outside this container. */
    root: z.boolean(),
  }),
  fleetFile: z.string().nullable(),
});
export type ScanReport = z.infer<typeof ScanReport>;
