import os from 'node:os';

/** This machine and this Node, as a report names them. */
export interface Machine {
  readonly os: string;
  readonly cpu: string;
  /** Threads that may run at once, as the scheduler's affinity allows. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
}

export function describeMachine(): Machine {
  return {
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    node: process.versions.node,
  };
}

export function hostName(): string {
  return os.hostname();
}

/** Null for a user without a name, as some containers have. */
export function userName(): string | null {
  try {
    return os.userInfo().username;
  } catch {
    return null;
  }
}
