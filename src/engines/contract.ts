import type { z } from 'zod';
import type { AsItIs } from '../domain/as-it-is.ts';
import type { LlamaUse } from '../domain/fit/llama-memory.ts';
import type { Foreseen, Place } from '../domain/foresight.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Answers, Identity } from '../domain/server-answers.ts';
import type { AnySecret, SecretRef } from '../domain/secret.ts';

/** What a deployment asks of its engine, already resolved: paths absolute, defaults applied. */
export interface LaunchInput<Options> {
  readonly deployment: string;
  readonly options: Options;
  readonly model: string | null;
  readonly mmproj: string | null;
  /** Number of GPUs the deployment is given; 0 for CPU. */
  readonly gpus: number;
  /** Physical cores and the CPU quota of the host, whichever is less; null when unknown (remote). */
  readonly cores: number | null;
  /** The engine's own key, when it must be protected. */
  readonly key: SecretRef | null;
  /** The key of the place that the model is fetched from, by an engine that fetches it itself. */
  readonly modelKey?: AnySecret | null;
  /** A variable may hold a secret there: in a cluster it is a reference, and on a machine it would show. */
  readonly secretVariables?: boolean;
  /** What the command of `help` printed (both streams); absent when it was not asked, so flags go unchecked. */
  readonly help?: string | null;
  /** The image that the file names in place of the engine's own: its tag may tell which version it is. */
  readonly image?: string | null;
}

/** A server that berth does not start: it is only routed to, watched and measured. */
export interface ExternalEndpoint {
  readonly url: string;
  readonly key: SecretRef | null;
  readonly servedModel: string | null;
  readonly slots: number | null;
  readonly healthPath: string | null;
  /** Path of the authorities (PEM) that are trusted in place of the usual ones. */
  readonly caFile: string | null;
  /** Where it tells figures of itself, in the Prometheus format. */
  readonly metricsPath: string | null;
  /** It refuses to be asked for the count of tokens at the end of a stream. */
  readonly streamUsage?: false;
}

/** How a running server is asked who it is: by GETs that load no model, wake none and complete nothing. */
export interface Identification {
  readonly paths: readonly string[];
  /** Null when no server of this engine answers so. */
  readonly read: (answers: Answers) => Identity | null;
  /** The same of one that refuses its models to whoever has no key, and whose counters show that it is one. */
  readonly readBehindKey?: (answers: Answers) => Identity | null;
  /** Where it counts, in the Prometheus format, the tokens that it has read and written since it started, and in which series. */
  readonly counters?: { readonly path: string; readonly tokens: readonly string[] };
}

/**
 * One engine: how it is started (`launch`) or reached (`external`), and how a running one is known again (`recognize`).
 * All three are pure. An engine knows no target.
 */
export interface Engine<Kind extends string = string, Options extends { kind: Kind } = { kind: Kind }> {
  readonly kind: Kind;
  readonly title: string;
  /**
   * Endpoints that it answers, of `domain/endpoints`, and /v1/models; a flag or a model may be needed for one, and then
   * its own answer says so. Empty where only the server itself can tell: requests are sent, and its answer passed on.
   */
  readonly paths: readonly string[];
  /** The same, where the fleet file says it in place of the engine. */
  readonly statedPaths?: (options: Options) => readonly string[] | undefined;
  /** The engine's keys in the fleet file, strict; null for engines that are only recognised. */
  readonly options: z.ZodType<Options> | null;
  /** It is one of berth's own programs, which no other machine has. */
  readonly ownProgram?: true;
  /** What clients may do at one without a key for control, beside its endpoints; absent: its kind says nothing of that. */
  readonly asItIs?: AsItIs;
  /** True when a deployment must name a model (a file that the engine opens). */
  readonly needsModel?: boolean;
  /** It serves several models under names of their own, each of which becomes a route; this path lists them. No other model is given to it. */
  readonly modelsPath?: string;
  /** Throws a BerthError when the options cannot be met (an unknown flag, a missing model). */
  readonly launch?: (input: LaunchInput<Options>) => LaunchSpec;
  /** Command that prints the flags of the very program that would be started; its output goes into LaunchInput.help. */
  readonly help?: (options: Options) => readonly string[];
  /** How it uses the memory of a model in llama.cpp's format; without it, its need is not known. */
  readonly memoryUse?: (options: Options, gpus: number) => LlamaUse;
  /** What of its options is at odds with where it is to run, though it would start. Pure. */
  readonly foresee?: (options: Options, place: Place) => readonly Foreseen[];
  /** Options by whose product it divides its model over GPUs, unless one that stands in `beyond` has it use those of other machines, too. */
  readonly gpuDivision?: {
    readonly options: readonly (keyof Options & string)[];
    /** Words of an option, or beginnings of `args`, that say so. */
    readonly beyond: Readonly<Record<string, RegExp>>;
  };
  /** It fetches models of the Hub itself, also those without an owner, such as "hf://gpt2". */
  readonly takesAnyHubName?: true;
  /** The option that chooses one build of its own image, and what may stand there. */
  readonly imagePin?: { readonly option: keyof Options & string; readonly example: string };
  /** How far it has loaded its model, from 0 to 1, as its output since its start tells; null when that does not tell. */
  readonly loadProgress?: (output: string) => number | null;
  readonly external?: (options: Options) => ExternalEndpoint;
  readonly recognize?: (process: ProcessFacts) => Recognized | null;
  /** Variables that `recognize` reads as options, or as the model. */
  readonly readsOptionsFrom?: ReadonlySet<string>;
  /** Beside /health and /v1/models, which every server is asked. */
  readonly identify?: Identification;
  /** What it reads in place of a variable of its environment that is misspelt or no longer read; null for one that is fine. */
  readonly meantVariable?: (name: string) => string | null;
  /** What says the same as a flag that newer builds refuse; null for one that they take. */
  readonly successorOf?: (flag: string) => string | null;
}
