import type { Finding } from './finding.ts';

/** Where an engine is to run, as far as its options can be at odds with it. Unknown or unbounded is null. */
export interface Place {
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
  readonly image: string | null;
  readonly gpus: number;
  /** Size of its model file; 0 where it is not known. */
  readonly modelBytes: number;
}

/** What a target gives an engine at most. */
export type Bounds = Pick<Place, 'cpus' | 'memoryBytes' | 'image'>;

/** Something that will go badly though it will start. */
export type Foreseen = Pick<Finding, 'rule' | 'message' | 'cure'> & { readonly evidence: string[] };
