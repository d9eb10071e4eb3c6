import { BerthError } from '../../domain/errors/berth-error.ts';
import type { FlagUse } from '../../domain/command-line/flag-use.ts';
import type { FlagDrift } from '../../domain/command-line/help-page.ts';

/** The first version that takes a flag. */
const since: ReadonlyMap<string, string> = new Map([
  ['--disable-access-log-for-endpoints', '0.16.0'],
  ['--shutdown-timeout', '0.18.0'],
]);

/** What was dropped on the way, and what says the same. */
const renamed: ReadonlyMap<string, string> = new Map([
  ['--speculative-model', '--speculative-config'],
  ['--num-speculative-tokens', '--speculative-config'],
  ['--guided-decoding-backend', '--structured-outputs-config'],
  ['--disable-log-requests', '--enable-log-requests'],
]);

export function successorOf(flag: string): string | null {
  return renamed.get(flag.replaceAll('_', '-')) ?? null;
}

export const vllmDrift: FlagDrift = {
  style: { joined: true, underscores: true },
  olderForm: (use, known) => {
    // A version that has a switch only for yes means no by leaving it out.
    const only = use.flag.startsWith('--no-') && !known.has(use.flag) && known.has(`--${use.flag.slice(5)}`);
    return only && known.get(`--${use.flag.slice(5)}`)?.value === '' ? [] : [use];
  },
  renamed,
};

/** Flags that this version has: one that may be left out is, one that the file states is refused. */
export function fitToVersion(uses: readonly FlagUse[], program: string, version: string | null): FlagUse[] {
  if (version === null) return [...uses];
  return uses.flatMap((use) => {
    const first = since.get(use.flag);
    if (first === undefined) return [use];
    if (isBefore(version, first)) {
      if (use.optional) return [];
      throw new BerthError('ENGINE_FLAG_TOO_NEW', { program, flag: use.flag, version, since: first });
    }
    return [{ ...use, optional: false }];
  });
}

function isBefore(version: string, first: string): boolean {
  const [a, b] = [version, first].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const at = b.findIndex((part, i) => part !== (a[i] ?? 0));
  return at >= 0 && (a[at] ?? 0) < (b[at] as number);
}
