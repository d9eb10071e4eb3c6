import { z } from 'zod';
import { accelerators } from './accelerators.ts';
import { FilePart } from './file-part.ts';
import { GivenResources } from './resources.ts';
import { AnySecret, EngineSecret } from './secret.ts';

/** An argument that only the target can know: where the model lies there, which port was taken, which file holds a secret. */
export const Hole = z.discriminatedUnion('hole', [
  z.strictObject({ hole: z.literal('model') }),
  z.strictObject({ hole: z.literal('mmproj') }),
  z.strictObject({ hole: z.literal('host') }),
  z.strictObject({ hole: z.literal('port') }),
  /** Path of a file, readable by the engine alone, that holds the secret of this name (a key of LaunchSpec.secrets). */
  z.strictObject({ hole: z.literal('secret'), name: z.string() }),
  /** Path of a writable folder of this name. */
  z.strictObject({ hole: z.literal('cache'), name: z.string() }),
  /**
   * A file or folder of the host that the engine reads; in a container it lies elsewhere. As `file://` and a path it is one of the
   * machine that berth runs on, which becomes a secret hole before a target sees it.
   */
  z.strictObject({ hole: z.literal('file'), path: z.string() }),
]);
export type Hole = z.infer<typeof Hole>;

/** An argument is literal text, a hole, or text and holes joined without a gap ("--port=" then the port). */
export const Arg = z.union([
  z.string(),
  Hole,
  z.strictObject({ parts: z.array(z.union([z.string(), Hole])).min(1) }),
]);
export type Arg = z.infer<typeof Arg>;

/**
 * How to start one engine, without saying where: an engine writes it, a target runs it, a mark carries it.
 * Plain data, so that a plan prints whole; secrets are references.
 */
export const LaunchSpec = z.strictObject({
  engine: z.string(),
  /** What can be run: a binary by name or path, one of berth's own programs, or images by accelerator. The target picks. */
  program: z.strictObject({
    binary: z.string().optional(),
    entry: z.enum(['embedded']).optional(),
    images: z.partialRecord(z.enum(accelerators), z.string()).optional(),
    /** What is run inside those images, before `args`. */
    imageCommand: z.array(z.string()).optional(),
  }),
  args: z.array(Arg),
  env: z.record(z.string(), Arg),
  /** Folder to start in; absent: the target's choice. */
  workdir: z.string().optional(),
  /** Secrets by name, and files of the user; each reaches the engine as a file through a `secret` hole, never as an argument. */
  secrets: z.record(FilePart, EngineSecret),
  /** Secrets whose file is YAML, with this key before the value: for engines that take a secret in a configuration file. */
  secretKeys: z.record(z.string(), z.string()).optional(),
  /** Variables that hold a secret, with its name among `secrets`: pods alone are given them, by reference. */
  secretEnv: z.record(z.string(), z.string()).optional(),
  /** Files that must lie on the host: path as the fleet file's reader resolved it. */
  model: z.string().nullable(),
  mmproj: z.string().nullable(),
  /** Where the keys of the model's place lie, for a target that has the model fetched itself; absent: it asks for none. */
  modelSecret: AnySecret.optional(),
  /** The one node of a cluster that has these files. */
  node: z.string().optional(),
  /** The claim of a cluster is made, and these files are fetched into it before the engine starts. */
  fetched: z
    .strictObject({
      from: z.string(),
      claim: z.string(),
      /** Folder below the claim's own. */
      folder: z.string(),
      size: z.string(),
      storageClass: z.string().optional(),
      access: z.enum(['ReadWriteOnce', 'ReadWriteMany']),
      image: z.string(),
      entrypoint: z.array(z.string()),
      secret: z.string().optional(),
      /** What fetches may take of CPU and memory. */
      resources: GivenResources.optional(),
      /** SHA-256 of files, by their path in the folder. */
      sums: z.record(z.string(), z.string()).optional(),
      /** Where `berth pull` of its image puts it, below the claim's own folder; absent: another program fetches, and `entrypoint` is it. */
      pulledTo: z.string().optional(),
      /** Files beside the model, such as its projector, each with its path below the claim's own folder. */
      also: z.array(z.strictObject({ from: z.string(), path: z.string() })).optional(),
      /** Secrets with the keys of the registry that has the image. */
      pullSecrets: z.array(z.string()).optional(),
      /** The cluster chooses the user of its pods; absent: what berth pulls belongs to a fixed group. */
      anyUser: z.literal(true).optional(),
      env: z.record(z.string(), z.string()).optional(),
      ca: z.strictObject({ configMap: z.string(), key: z.string() }).optional(),
    })
    .optional(),
  /** Names of writable folders the engine wants (see the `cache` hole). */
  writable: z.array(FilePart),
  /** Folders that the program keeps in the user's home, and the variable that puts each elsewhere, where no home lasts. */
  caches: z.record(FilePart, z.strictObject({ env: z.string() })).optional(),
  /** Memory that its processes share, in bytes, where containers give less by default. */
  sharedMemory: z.int().positive().optional(),
  /** It holds its model in memory (mlock): whoever bounds what may be locked has to let it. */
  lockedMemory: z.literal(true).optional(),
  /** CPU and memory that the file gives it; absent: nothing is said. */
  resources: GivenResources.optional(),
  devices: z.strictObject({
    vendor: z.enum(['none', 'nvidia', 'amd', 'intel', 'any']),
    count: z.int().min(0),
    /** The engine was told by name what to compute on: names count among the GPUs that it sees, so none is hidden from it. */
    named: z.literal(true).optional(),
    /** Those of the host that were chosen, by UUID or index; absent: the engine sees all of them. */
    chosen: z.strictObject({ vendor: z.enum(['nvidia', 'amd']), ids: z.array(z.string()).min(1) }).optional(),
  }),
  readiness: z.strictObject({ path: z.string(), startTimeoutMs: z.int().positive() }),
  metricsPath: z.string().nullable(),
  stop: z.strictObject({ signal: z.enum(['SIGTERM', 'SIGINT', 'SIGKILL']), graceMs: z.int().min(0) }),
  /** How many requests the engine batches at once; null when it does not say. The gateway's slots. */
  slots: z.int().positive().nullable(),
  /** The name that requests to this engine must carry; null when any name is answered. */
  servedModel: z.string().nullable(),
});
export type LaunchSpec = z.infer<typeof LaunchSpec>;
