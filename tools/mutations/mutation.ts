/** A change of one place in the source that breaks one of the gateway's rules; the tests titled "rule N: …" must notice. */
export interface Mutation {
  readonly rule: number;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly search: string;
  readonly replace: string;
}
