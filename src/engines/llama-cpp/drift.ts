import type { FlagUse, KnownFlags } from './flag-use.ts';

/** Flags that newer builds dropped, and what says the same now. */
export const renamed: ReadonlyMap<string, string> = new Map([
  ['--mlock', '--load-mode mlock'],
  ['--no-mmap', '--load-mode none'],
  ['--direct-io', '--load-mode dio'],
  ['--draft-max', '--spec-draft-n-max'],
  ['--draft', '--spec-draft-n-max'],
  ['--webui-config', '--ui-config'],
  ['--no-webui', '--no-ui'],
]);

/** How builds without `--load-mode` say it. */
const loadModes: Readonly<Record<string, readonly string[]>> = {
  auto: [],
  mmap: [],
  none: ['--no-mmap'],
  mlock: ['--mlock'],
  'mmap+mlock': ['--mlock'],
  dio: ['--direct-io'],
};

/**
 * One of our flags in the words of an older build; unchanged where the build knows it. A flag that an older
 * build has no word for, and that only switches off what it does not have, is left out.
 */
export function olderForm(use: FlagUse, known: KnownFlags): FlagUse[] {
  const value = typeof use.value === 'string' ? use.value : '';
  switch (use.flag) {
    case '--load-mode':
      return known.has(use.flag) ? [use] : (loadModes[value] ?? []).map((flag) => ({ flag }));
    case '--flash-attn':
      // Once a switch that was off by default.
      if (known.get(use.flag)?.value !== '') return [use];
      return value === 'on' ? [{ flag: use.flag }] : [];
    case '--n-gpu-layers':
      // Once a number only; more layers than the model has means all of them.
      if (/\b(all|auto)\b/.test(known.get(use.flag)?.text ?? 'all')) return [use];
      return value === 'auto' ? [] : [{ ...use, value: value === 'all' ? '999' : value }];
    case '--cache-ram':
      return known.has(use.flag) ? [use] : [];
    case '--no-ui':
      return known.has(use.flag) ? [use] : [{ ...use, flag: '--no-webui' }];
    default:
      return [use];
  }
}
