import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where berth keeps things (XDG base directories); `stateDir` moves all of them. */
export interface Places {
  /** Of berth's user on that machine. */
  readonly home: string;
  readonly config: string;
  readonly engines: string;
  readonly models: string;
  readonly runs: string;
  /** Per fleet: logs, keys, marks. */
  readonly state: string;
  readonly runtime: string;
  /** Named by `stateDir`: fleets kept there have nothing to do with those of other places. */
  readonly apart: boolean;
}

export function placesOf(env: Readonly<Record<string, string | undefined>>, stateDir?: string): Places {
  const home = env['HOME'] ?? homedir();
  const data = stateDir
    ? join(stateDir, 'data')
    : join(env['XDG_DATA_HOME'] ?? join(home, '.local/share'), 'berth');
  const state = stateDir
    ? join(stateDir, 'state')
    : join(env['XDG_STATE_HOME'] ?? join(home, '.local/state'), 'berth');
  const runtimeRoot = env['XDG_RUNTIME_DIR'];
  const runtime = stateDir
    ? join(stateDir, 'run')
    : runtimeRoot
      ? join(runtimeRoot, 'berth')
      : // Not below /tmp: whoever made the folder first could put a configuration of theirs into it.
        join(state, 'run');
  return {
    home,
    config: join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'berth'),
    engines: join(data, 'engines'),
    models: join(data, 'models'),
    runs: join(data, 'runs'),
    state,
    runtime,
    apart: stateDir !== undefined,
  };
}
