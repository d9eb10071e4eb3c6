/** What is left of a command once one wrapper is taken off. */
export interface Peeled {
  readonly commands: readonly (readonly string[])[];
  readonly env: Readonly<Record<string, string>>;
  /** The wrapper stays and waits: what it started is another process, a child of this one. */
  readonly waits: boolean;
}
