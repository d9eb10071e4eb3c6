import { z } from 'zod';
import { AsItIs } from './as-it-is.ts';

/**
 * A model on demand: `unloaded` costs nothing · `fetching` was asked for and is on its way to this machine, which takes no memory ·
 * `loading` is being started · `ready` answers · `unloading` takes nothing new and ends · `failed` could not be fetched or started and
 * is tried again later.
 */
export const demandStates = ['unloaded', 'fetching', 'loading', 'ready', 'unloading', 'failed'] as const;
export type DemandState = (typeof demandStates)[number];

/** Bytes that a deployment takes, all its replicas together. */
export const MemoryNeed = z.strictObject({ host: z.int().min(0), gpu: z.int().min(0) });
export type MemoryNeed = z.infer<typeof MemoryNeed>;

/** What there is for all models on demand together; null where it is not known, and then nothing is refused for it. */
export const MemoryRoom = z.strictObject({
  host: z.int().min(0).nullable(),
  gpu: z.int().min(0).nullable(),
});
export type MemoryRoom = z.infer<typeof MemoryRoom>;

/** What whoever starts engines knows of one: it does not run, its model is being fetched, it is being started, answers, is being stopped. */
export const demandPhases = ['gone', 'fetching', 'starting', 'running', 'ending'] as const;
export type DemandPhase = (typeof demandPhases)[number];

/** A deployment that is started by its first request. */
export const OnDemandModel = z.strictObject({
  deployment: z.string(),
  phase: z.enum(demandPhases),
  /** Its model is not on this machine: it is fetched before its engine can start, and only then is `need` computed. */
  toFetch: z.boolean().default(false),
  /** Endpoint paths of its engine, which is asked before it runs. */
  paths: z.array(z.string()),
  /** As of an upstream. */
  asItIs: AsItIs.optional(),
  /** Unloaded after so long without a request; 0: never for that alone. */
  ttlMs: z.int().min(0),
  /** Null: not known, so it runs alone. */
  need: MemoryNeed.nullable(),
  /** How long it takes to load, learned from earlier loads or guessed from the size of its file; null: not known. */
  loadMs: z.int().positive().nullable(),
  /** No load takes longer: it has failed then. */
  startTimeoutMs: z.int().positive(),
  /** Files that its engines write to. */
  logFiles: z.array(z.string()),
  /** A hash over what it is started from: a failure is held against that alone. */
  startedAs: z.string().default(''),
});
export type OnDemandModel = z.infer<typeof OnDemandModel>;

/** Models on demand as the gateway is told of them. */
export const OnDemandConfig = z.strictObject({
  models: z.array(OnDemandModel),
  room: MemoryRoom,
  /** Which may run together, where the file says so; a model that is in none runs alone. */
  sets: z.array(z.array(z.string())).nullable(),
  /** How long requests wait for a model while others keep theirs busy; null: computed from the load times. */
  patienceMs: z.int().min(0).nullable(),
});
export type OnDemandConfig = z.infer<typeof OnDemandConfig>;
