import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Where its stderr goes: to ours, or line by line to `onErrorLine`. */
  readonly onErrorLine?: (line: string) => void;
}

/** A process that ends with us unless it is ended before: its stdin is our hold on it. */
export interface Child {
  readonly pid: number;
  /** Lines of its stdout; ends when it does. Read them, or it blocks when the pipe is full. */
  readonly lines: AsyncIterable<string>;
  readonly write: (text: string) => void;
  /** Closes its stdin: for our own programs, the sign to end. */
  readonly closeInput: () => void;
  /** False when it is gone already. */
  readonly kill: (signal: NodeJS.Signals) => boolean;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
}

/** Starts a program with pipes. Rejects when it cannot be executed. */
export function startChild(argv: readonly string[], options: ChildOptions = {}): Promise<Child> {
  const [program, ...args] = argv;
  const child = spawn(program ?? '', args, {
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', options.onErrorLine ? 'pipe' : 'inherit'],
    ...(options.cwd ? { cwd: options.cwd } : {}),
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('A child without pipes.');
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  stdin.on('error', () => {});
  const lines = createInterface({ input: stdout, crlfDelay: Number.POSITIVE_INFINITY });
  const { onErrorLine } = options;
  if (child.stderr && onErrorLine) createInterface({ input: child.stderr }).on('line', onErrorLine);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () =>
      resolve({
        pid: child.pid as number,
        lines,
        write: (text) => void stdin.write(text),
        closeInput: () => void stdin.end(),
        kill: (signal) => child.kill(signal),
        exited,
      }),
    );
  });
}
