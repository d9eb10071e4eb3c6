import type { z } from 'zod';
import type { Finding } from '../domain/finding.ts';
import type { FleetPart } from '../domain/fleet-part.ts';
import type { Bounds, Foreseen } from '../domain/foresight.ts';
import type { Ending, Instance, Mark, ProcessId } from '../domain/instance.ts';
import type { Left } from '../domain/left.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import type { World } from '../io/world.ts';

/** What a target is asked to run: the spec with its place (fleet, deployment, replica) and the port that was chosen for it. */
export interface StartRequest {
  readonly mark: Mark;
  readonly address: string;
  readonly port: number;
  /** Where output goes (append) for a target that keeps none itself, and where writable folders and secret files may lie. */
  readonly logFile: string;
  readonly stateDir: string;
  /** Names of environment variables that it must not inherit, since they hold secrets of others. */
  readonly withheld: readonly string[];
  /** Where its update `rolls`, the old engine is left to serve until `finish`. */
  readonly keepsOld?: boolean;
  /** Told what takes long, such as a pull. */
  readonly onProgress?: (line: string) => void;
}

/** Whose an object is, and by which options it was made. */
export type MarkedPlace = Pick<Mark, 'fleet' | 'fleetId' | 'deployment' | 'replica' | 'target'>;

/** An object that was just started, and what becomes of this very start. */
export interface Started {
  readonly instance: Instance;
  /** How it ended since, where it has and the target can know. */
  readonly ending: () => Promise<Ending | null>;
  /** The last lines that it has said since this start. */
  readonly lines: (count: number) => Promise<string[]>;
}

/**
 * Where an engine is asked, or what it still waits for, as the end of a sentence ("waits for ..."). `prepares`: its target is at work
 * on what comes before the engine, such as an image; `runs`: the engine itself is under way.
 */
export type Settled =
  | { readonly address: string; readonly port: number }
  | { readonly waits: string; readonly stage?: 'prepares' | 'runs' | null };

/** What an object takes and has taken. Unknown is null, never 0. */
export interface Usage {
  readonly memoryBytes: number | null;
  readonly cpuSeconds: number | null;
  /** Cores that it uses now, where its target tells a rate and no total. */
  readonly cores?: number | null;
  /** How often it was started again after a crash, as its target counts. */
  readonly restarts: number | null;
}

/** A server that somebody else started, and that is to be marked without a restart. */
export interface Foreign {
  /** Null in a cluster. */
  readonly process: ProcessId | null;
  /** The unit that keeps it, with its scope; null where none does. */
  readonly unit: { readonly name: string; readonly scope: 'system' | 'user' } | null;
  /** The container that it runs in, by its whole id, and where the daemon of that listens; absent: in none. */
  readonly container?: { readonly id: string; readonly name: string; readonly where: string };
  /** The Deployment of a cluster that makes its pods; absent: none does. */
  readonly workload?: { readonly name: string; readonly uid: string };
}

/** One way in which a live object is not as its mark says. */
export interface Drift {
  readonly field: string;
  readonly marked: string | null;
  readonly live: string | null;
}

/**
 * One way of running engines. Everything it makes carries the mark, so that observing again finds it. `world` is that of
 * the host: its files, its programs, and what berth may do there.
 * `create`, `update` and `restart` return once the object runs, not once the engine answers; readiness is asked by the caller.
 */
export interface Target<Kind extends string = string, Options extends { kind: Kind } = { kind: Kind }> {
  readonly kind: Kind;
  readonly title: string;
  readonly options: z.ZodType<Options>;
  /** Starts again what crashes, and what was up at a reboot; else `berth up` does the first and nobody the second. */
  readonly supervises: boolean;
  /** It runs in a cluster: hosts that are machines have nothing of it, and clusters of nothing else. */
  readonly inCluster?: true;
  /** False where the engine's program comes from an image: the host's own is not asked for its flags. Absent: it is the host's. Pure. */
  readonly hostPrograms?: (options: Options) => boolean;
  /** Why it cannot run this at all, as a sentence; null when it can. `far`: on another machine than berth's own. Pure. */
  readonly refuses: (spec: LaunchSpec, options: Options, far: boolean) => string | null;
  /** What it holds the engine to; absent: it holds it to nothing, whatever the file says. Pure. */
  readonly bounds?: (spec: LaunchSpec, options: Options) => Bounds;
  /** What of these options will go badly though it starts; `replicas`: how many of them there are. Pure. */
  readonly foresee?: (spec: LaunchSpec, options: Options, replicas: number) => readonly Foreseen[];
  /** Two objects of one replica can be there at once, as replacing one beside the other needs. */
  readonly beside: (options: Options) => boolean;
  /** All marked objects of every fleet on this host, running or not, and nothing else. */
  readonly observe: (world: World) => Promise<Instance[]>;
  /** Codes of faults by which `observe` tells that what keeps its objects cannot be asked: nothing is known of them then. */
  readonly unasked?: readonly string[];
  /** One that was asked to end, and has not yet, looks like one that runs on. */
  readonly endsUnseen?: true;
  /** Whether this very object still runs; asked often. */
  readonly isAlive: (world: World, instance: Instance) => Promise<boolean>;
  /** Where its engine answers, once all of this very start is in place; absent: where its mark says, at once. */
  readonly settled?: (world: World, instance: Instance) => Promise<Settled>;
  /** What the target itself still does about this start once the engine answers, as the end of a sentence; empty: nothing. */
  readonly remains?: (world: World, instance: Instance) => Promise<string>;
  /** What would go wrong with it on this host; `critical` is not tried. Reads only. */
  readonly preview?: (world: World, request: StartRequest, options: Options) => Promise<Finding[]>;
  /** What would keep the object of this place from being ended; `critical` is not tried. Absent: nothing. Reads only. */
  readonly previewEnd?: (world: World, place: MarkedPlace) => Promise<Finding[]>;
  /** Makes the object and starts it. One of the same place that does not run is taken over. */
  readonly create: (world: World, request: StartRequest, options: Options) => Promise<Started>;
  /** Changes the object in its place, keeping its name; without it, it is removed and made again. */
  readonly update?: (
    world: World,
    instance: Instance,
    request: StartRequest,
    options: Options,
  ) => Promise<Started>;
  /** While an update or a restart is under way the old engine serves on: one that fails is undone by an update, not removed. */
  readonly updatesBeside?: true;
  /** An update or a restart by these options can leave the old engine serving until `finish`. Pure. */
  readonly rolls?: (spec: LaunchSpec, options: Options) => boolean;
  /** Has what is left of the old engine end, once the new one has its requests. Idempotent; also for one who was killed before. */
  readonly finish?: (world: World, instance: Instance) => Promise<void>;
  /** The same once more, as it is defined; without it, it is removed and made again. */
  readonly restart?: (
    world: World,
    instance: Instance,
    how?: Pick<StartRequest, 'keepsOld'>,
  ) => Promise<Started>;
  /**
   * Asks politely, waits `graceMs`, then forces; resolves when nothing of it is left. Idempotent. Who `settles` afterwards calls that
   * once for all that was changed on a host. Where its place `ends` and no other engine comes into it, its record goes as well.
   */
  readonly remove: (
    world: World,
    instance: Instance,
    how: { signal: string; graceMs: number; settles?: boolean; ends?: boolean },
  ) => Promise<void>;
  /** Has it stand still and keeps its object, which then is `parked`; `create` has it run again. Absent: it is removed. */
  readonly park?: (world: World, instance: Instance, how: { graceMs: number }) => Promise<void>;
  /** What `remove` leaves of it on purpose; absent: nothing. */
  readonly leaves?: (world: World, mark: Mark) => Promise<Left[]>;
  /** What is done once for all changes of a command on a host; absent: nothing. Idempotent. */
  readonly settle?: (world: World) => Promise<void>;
  /**
   * A text that is kept with the object itself, for all who may change it, and goes with its place. `keep` does nothing where the
   * object is not there.
   */
  readonly record: {
    readonly read: (world: World, place: MarkedPlace) => Promise<string | null>;
    /** `files`: what it names and others need as well, by names. */
    readonly keep: (
      world: World,
      place: MarkedPlace,
      text: string,
      files: Readonly<Record<string, string>>,
    ) => Promise<void>;
    /** One of those files; absent: the target has them elsewhere. */
    readonly file?: (world: World, place: MarkedPlace, name: string) => Promise<string | null>;
    /** Takes it away, also where no object of the place is there any more; absent: it goes with the object alone. Idempotent. */
    readonly drop?: (world: World, part: FleetPart) => Promise<void>;
  };
  /** Lines of the engine's output, oldest first; with `follow` it goes on until the signal aborts. */
  readonly logs: (
    world: World,
    instance: Instance,
    how: { lines: number; follow: boolean; signal: AbortSignal },
  ) => AsyncIterable<string>;
  /** Where a person reads its whole output: a path, or a command. */
  readonly logPlace: (mark: Mark, instance: Instance | null) => string;
  readonly usage: (world: World, instance: Instance) => Promise<Usage>;
  /** The inverse of what it renders: in what the live object is not what its mark says; absent where it cannot be changed. */
  readonly readBack?: (world: World, instance: Instance) => Promise<Drift[]>;
  /** What of the object this version of berth would write otherwise from the same mark, in words; absent: nobody looks. Reads only. */
  readonly rendersOtherwise?: (world: World, instance: Instance) => Promise<string[]>;
  /** Puts the mark on what somebody else started; nothing of it is restarted. Gives the text of its definition, where it has one. */
  readonly adopt?: (world: World, foreign: Foreign, mark: Mark) => Promise<string | null>;
  /** Takes the mark away and leaves it running; false where the mark cannot be taken from what runs. */
  readonly disown?: (world: World, instance: Instance) => Promise<boolean>;
}
