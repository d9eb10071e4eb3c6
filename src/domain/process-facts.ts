/** What /proc tells about one process, as far as rights allow; the input of every engine's `recognize`. */
export interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  /** Command line as words; empty for kernel threads and for processes whose rights hide it. */
  readonly argv: readonly string[];
  /** Target of the exe link; null when hidden. */
  readonly exe: string | null;
  /** Environment; null when hidden. Secrets are in here: never print it whole. */
  readonly env: Readonly<Record<string, string>> | null;
  readonly cwd: string | null;
  /** More variables may be set than `env` has, as where a file or an object of a cluster gives them. */
  readonly partialEnv?: boolean;
}

/** A model server as its own command line tells it. `recognize` is the inverse of `launch`. */
export interface Recognized {
  readonly engine: string;
  /** Name or path of the model, as the command line has it. */
  readonly model: string | null;
  readonly host: string | null;
  readonly port: number | null;
  /** Options in the terms of the engine's own fleet-file schema, as far as the command line states them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** A worker or runner of another server (an Ollama runner, a vLLM engine core): shown under its parent. */
  readonly child: boolean;
  /** Whether it asks its clients for a key; absent when the command line does not tell. */
  readonly keyed?: boolean;
  /** Flags by which whoever reaches the port reaches files or a shell of the machine. */
  readonly exposes?: readonly string[];
}

/** One process of the table that berth reads from /proc. Unknown is null, never 0. */
export interface ProcessEntry extends ProcessFacts {
  readonly uid: number;
  /** Process group: berth starts each engine in one of its own. */
  readonly pgid: number;
  /** Clock ticks since boot; with the boot id and the pid this names the process for good. */
  readonly startTicks: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly rssBytes: number | null;
  /** The part of it that is mapped files: for most engines the weights, which other processes may share. */
  readonly rssFileBytes: number | null;
  /** Text of /proc/PID/cgroup. */
  readonly cgroup: string | null;
  /** Inodes of the namespaces ("net:[4026531840]" without the words); null when rights hide them. */
  readonly netns: string | null;
  readonly pidns: string | null;
}

/** All processes at one moment, by pid, and what rights kept from us. Kernel threads and zombies are left out. */
export interface ProcessTable {
  readonly bootId: string;
  readonly processes: ReadonlyMap<number, ProcessEntry>;
  readonly hidden: {
    /** Processes whose command line cannot be read. */
    readonly commandLines: number;
    /** Processes whose environment, sockets and namespaces cannot be read: those of other users. */
    readonly details: number;
    /** True when the system shows only one's own processes (hidepid=2). */
    readonly others: boolean;
  };
}

/** A TCP socket that listens. `pids` is empty when rights hide who holds it; `uid` is known all the same. */
export interface Listener {
  readonly address: string;
  readonly port: number;
  readonly netns: string;
  readonly uid: number;
  readonly pids: readonly number[];
}
