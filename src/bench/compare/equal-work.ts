import type { Side, SideStage } from './side.ts';

/** Mean token counts further apart than this are other work. */
const tolerance = 0.02;

/**
 * In what two runs differ so much that their figures do not compare: each a sentence. What may differ on purpose (server,
 * model, engine) is none of it, and neither is what another tool does not tell.
 */
export function unequalWork(
  base: Pick<Side, 'work' | 'definitions'>,
  other: Pick<Side, 'work' | 'definitions'>,
): string[] {
  const settings = Object.entries(base.work).flatMap(([what, a]) => {
    const b = other.work[what] ?? null;
    return a === null || b === null || a === b ? [] : [`${what}: ${a} and ${b}`];
  });
  const definitions = Object.keys(base.definitions)
    .filter((name) => (other.definitions[name] ?? base.definitions[name]) !== base.definitions[name])
    .map((name) => `definition of ${name}`);
  return [...settings, ...definitions];
}

/** The same for two stages of the same load. */
export function unequalStages(base: SideStage, other: SideStage): string[] {
  return (['promptTokens', 'outputTokens'] as const).flatMap((kind) => {
    const [a, b] = [base[kind], other[kind]];
    const what = kind === 'promptTokens' ? 'prompt' : 'output';
    if (a === null || b === null)
      return a === b
        ? []
        : [`${what} tokens a request: ${a?.toFixed(1) ?? 'unknown'} and ${b?.toFixed(1) ?? 'unknown'}`];
    if (Math.abs(a - b) <= tolerance * Math.max(a, b)) return [];
    return [`${what} tokens a request: ${a.toFixed(1)} and ${b.toFixed(1)}`];
  });
}

/** What differs and may explain a difference, and what nobody can tell, for the reader. */
export function otherSetting(base: Side, other: Side): string[] {
  const settings = Object.entries(base.setting).flatMap(([what, a]) => {
    const b = other.setting[what];
    return b === undefined || a === b ? [] : [`${what}: ${a ?? '-'} and ${b ?? '-'}`];
  });
  const unknown = Object.entries(base.work).flatMap(([what, a]) =>
    (a === null) === ((other.work[what] ?? null) === null) ? [] : [what],
  );
  return [
    ...(base.tool === other.tool ? [] : [`tool: ${base.tool ?? 'berth'} and ${other.tool ?? 'berth'}`]),
    ...settings,
    ...(unknown.length === 0 ? [] : [`not told by one of them: ${unknown.join(', ')}`]),
    ...base.notes,
    ...other.notes.filter((note) => !base.notes.includes(note)),
  ];
}
