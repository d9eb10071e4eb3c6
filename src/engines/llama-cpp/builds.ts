import type { FlagHelp, FlagUse, KnownFlags } from '../../domain/command-line/flag-use.ts';
import { llamaDrift } from './drift.ts';

/** A flag as berth writes it, the first build that takes it so, and what builds before it say of it; null: they do not know it. */
interface Since {
  readonly flag: string;
  readonly build: number;
  readonly now: FlagHelp;
  readonly before: FlagHelp | null;
}

const known: FlagHelp = { value: 'N', text: '' };

/**
 * By the numbers of llama.cpp's own builds, which count the commits of its history. Where both forms are taken for a while the number
 * is on the late side; the others are right to some builds.
 */
const since: readonly Since[] = [
  { flag: '--flash-attn', build: 6325, now: known, before: { value: '', text: '' } },
  { flag: '--cache-ram', build: 6740, now: known, before: null },
  { flag: '--lora-scaled', build: 7440, now: { value: 'FNAME:SCALE', text: '' }, before: known },
  { flag: '--n-gpu-layers', build: 8000, now: { value: 'N', text: 'auto or all' }, before: known },
  { flag: '--spec-draft-n-max', build: 8965, now: known, before: null },
  { flag: '--spec-draft-n-min', build: 8965, now: known, before: null },
  { flag: '--load-mode', build: 10_100, now: known, before: null },
];

const flags: ReadonlySet<string> = new Set(since.map(({ flag }) => flag));

/** The build that an image is of, by its tag ("server-cuda-b6000"); null where it does not tell. */
export function buildOfImage(image: string): number | null {
  const build = /:(?:[\w.-]+-)?b(\d{3,})(?:@.*)?$/.exec(image)?.[1];
  return build === undefined ? null : Number(build);
}

/** What cannot be asked for its help, but says which build it is, is told the same in the words of that build. Pure. */
export function fitToBuild(uses: readonly FlagUse[], build: number | null): FlagUse[] {
  if (build === null) return [...uses];
  const there = knownTo(build);
  return uses.flatMap((use) => (use.raw || !flags.has(use.flag) ? [use] : llamaDrift.olderForm(use, there)));
}

function knownTo(build: number): KnownFlags {
  return new Map(
    since.flatMap(({ flag, build: first, now, before }) => {
      const help = build < first ? before : now;
      return help === null ? [] : [[flag, help] as const];
    }),
  );
}
