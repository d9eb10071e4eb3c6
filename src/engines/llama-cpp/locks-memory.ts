import type { FlagUse } from '../../domain/command-line/flag-use.ts';

const loadMode: ReadonlySet<string> = new Set(['--load-mode', '-lm']);

/** Whether these flags have the model held in memory: an option of ours, or words of the user, where a value is a word of its own. Pure. */
export function locksMemory(uses: readonly FlagUse[]): boolean {
  return uses.some(({ flag, values: [own] = [] }, at) => {
    if (flag === '--mlock') return true;
    const value = own ?? uses[at + 1]?.flag;
    return loadMode.has(flag) && typeof value === 'string' && value.split('+').includes('mlock');
  });
}
