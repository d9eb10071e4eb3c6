import type { ClusterGateway } from '../domain/cluster-gateway.ts';
import type { NewNamespace } from '../domain/host-access.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import type { ClusterSecret } from '../domain/secret.ts';

/** One deployment as a format is given it: how its engine is started, and what the fleet file says of its place. */
export interface RenderedDeployment {
  readonly name: string;
  readonly replicas: number;
  /** Replica by replica. */
  readonly ports: readonly number[];
  /** Its target with all options, whichever it is; the schema of each kind has parsed it. */
  readonly target: { readonly kind: string; readonly [key: string]: unknown };
  readonly spec: LaunchSpec;
  /** Texts of the files that the spec gives it, by their names there. */
  readonly files: Readonly<Record<string, string>>;
  /** Its first request starts it, and nothing else. */
  readonly onDemand: boolean;
  /** What the file states of it, flat, as marks carry it. */
  readonly declared: Readonly<Record<string, unknown>>;
  /** GPUs of its machine, replica by replica; null: nothing is said of which. */
  readonly gpus: readonly (LaunchSpec['devices']['chosen'] | null)[];
}

/** A benchmark whose client runs in a cluster, or by a timer of a machine. */
export interface RenderedBenchmark {
  readonly name: string;
  readonly inCluster: boolean;
  /** As cron writes it; null: when somebody says so. */
  readonly schedule: string | null;
  readonly image: string;
  /** Claim that runs are kept in; null: they are gone with the pod. */
  readonly results: string | null;
  /** The fleet as `berth bench` reads it there. */
  readonly fleetFile: string;
  /** Files beside it by name, such as authorities. */
  readonly beside: Readonly<Record<string, string>>;
  /** What the cluster gives it, each as a file of this name; null: all values of a Secret as variables. */
  readonly secrets: readonly { readonly file: string | null; readonly ref: ClusterSecret }[];
  /** The cluster chooses the user of its pods; absent: they have a fixed one. */
  readonly anyUser?: true;
}

export interface RenderInput {
  readonly fleet: string;
  readonly fleetId: string;
  readonly deployments: readonly RenderedDeployment[];
  readonly benchmarks: readonly RenderedBenchmark[];
  /** Namespace of a cluster; null: whoever applies the files says it. */
  readonly namespace: string | null;
  /** How an apply would make that namespace where it is missing; null: it has to be there. */
  readonly newNamespace: Partial<NewNamespace> | null;
  /** Null: engines alone. */
  readonly gateway: ClusterGateway | null;
  /** How a shell of this machine gets to that of the files, such as "ssh op@gpu1"; null: they are for this one, or for a cluster. */
  readonly ssh: string | null;
  /** Home of the user whose manager gets the units; null: they are the system's. */
  readonly userHome: string | null;
}

export interface RenderedFile {
  /** Below the folder that is written, such as "base/service-mistral.yaml". */
  readonly path: string;
  readonly text: string;
  /** It says which files there are, and is left out where all of them are printed as one. */
  readonly index?: true;
  /** What is written beside it reads it by its path, and it is left out where all of them are printed as one. */
  readonly beside?: true;
}

export interface RenderOutput {
  readonly files: readonly RenderedFile[];
  /** What has to be there beside the files, one sentence each: secrets above all, which are never written. */
  readonly needs: readonly string[];
}

/** A way of writing a fleet down for other tools. Pure: the same input gives the same files, without a time or a random part. */
export interface RenderFormat<Kind extends string = string> {
  readonly kind: Kind;
  readonly title: string;
  /** Why it cannot write the gateway too, as the end of a sentence; null when it can. Absent: it never can. */
  readonly gateway?: (namespace: string | null) => string | null;
  /** What its files are given to. Those of several hosts go into a folder for each. */
  readonly place: 'cluster' | 'machine';
  /** Whether it writes benchmarks: Jobs of a cluster, or timers of a machine. */
  readonly benchmarks?: true;
  /** Whether it can write for a user's own manager. */
  readonly forUsers?: true;
  /** Why it cannot write this one, as a sentence; null when it can. */
  readonly refuses: (deployment: RenderedDeployment) => string | null;
  readonly render: (input: RenderInput) => RenderOutput;
}
