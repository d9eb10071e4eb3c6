import type { z } from 'zod';
import type { Ending, Instance, Mark } from '../domain/instance.ts';
import type { World } from '../io/world.ts';

/** What a target is asked to start: the spec with its place (fleet, deployment, replica) and the port that was chosen for it. */
export interface StartRequest {
  readonly mark: Mark;
  readonly address: string;
  readonly port: number;
  /** Where the engine's output goes (append), and where its writable folders and secret files may lie. */
  readonly logFile: string;
  readonly stateDir: string;
  /** Names of environment variables that it must not inherit, since they hold secrets of others. */
  readonly withheld: readonly string[];
  /** Called when it ends while berth still runs, by a target that can know. */
  readonly onEnd?: (ending: Ending) => void;
}

/**
 * One way of running engines. Everything it starts carries the mark, so that observing again finds it.
 * `start` returns once the object exists, not once the engine answers; readiness is asked by the caller.
 */
export interface Target<Kind extends string = string, Options extends { kind: Kind } = { kind: Kind }> {
  readonly kind: Kind;
  readonly title: string;
  readonly options: z.ZodType<Options>;
  /** All marked instances of every fleet on this host, and nothing else. */
  readonly observe: (world: World) => Promise<Instance[]>;
  readonly start: (world: World, request: StartRequest, options: Options) => Promise<Instance>;
  /** Asks politely, waits `graceMs`, then forces; resolves when it is gone. Idempotent. */
  readonly stop: (
    world: World,
    instance: Instance,
    how: { signal: string; graceMs: number },
  ) => Promise<void>;
  /** Lines of the engine's output, oldest first; with `follow` it goes on until the signal aborts. */
  readonly logs: (
    world: World,
    instance: Instance,
    how: { lines: number; follow: boolean; signal: AbortSignal },
  ) => AsyncIterable<string>;
}
