import type { FlagUse, KnownFlags } from '../../domain/command-line/flag-use.ts';
import type { FlagDrift } from '../../domain/command-line/help-page.ts';

/** Flags without an option of ours that newer builds dropped, and what says the same now. */
const renamed: ReadonlyMap<string, string> = new Map([['--webui-config', '--ui-config']]);

/** Flags of ours that newer builds refuse, too. */
const refused: ReadonlyMap<string, string> = new Map([
  ...renamed,
  ['--draft', '--spec-draft-n-max'],
  ['--draft-n', '--spec-draft-n-max'],
  ['--draft-max', '--spec-draft-n-max'],
  ['--draft-min', '--spec-draft-n-min'],
]);

export function successorOf(flag: string): string | null {
  return refused.get(flag) ?? null;
}

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
function olderForm(use: FlagUse, known: KnownFlags): FlagUse[] {
  const [first] = use.values ?? [];
  const value = typeof first === 'string' ? first : '';
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
      return value === 'auto' ? [] : [{ ...use, values: [value === 'all' ? '999' : value] }];
    case '--cache-ram':
      return known.has(use.flag) ? [use] : [];
    case '--no-ui':
      return known.has(use.flag) ? [use] : [{ ...use, flag: '--no-webui' }];
    case '--spec-draft-n-max':
    case '--spec-draft-n-min':
      return known.has(use.flag)
        ? [use]
        : [{ ...use, flag: use.flag.replace('--spec-draft-n-', '--draft-') }];
    case '--lora-scaled':
      return oneWord(use, known);
    default:
      return [use];
  }
}

/** Newer builds take the path and its scale as one word, older ones as two. */
function oneWord(use: FlagUse, known: KnownFlags): FlagUse[] {
  const [arg] = use.values ?? [];
  if (arg === undefined || (known.get(use.flag)?.value ?? ':').includes(':')) return [use];
  const parts = typeof arg === 'object' && 'parts' in arg ? arg.parts : [arg];
  const scale = parts.at(-1);
  return typeof scale === 'string' && scale.startsWith(':')
    ? [{ ...use, values: [...parts.slice(0, -1), scale.slice(1)] }]
    : [use];
}

export const llamaDrift: FlagDrift = { style: { joined: false, underscores: false }, olderForm, renamed };
