import { cacheLabel } from '../../domain/run/cache.ts';
import type { Report } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';

/** Mean token counts further apart than this are other work. */
const tolerance = 0.02;

/**
 * In what two runs differ so much that their figures do not compare: each a sentence. What may differ on purpose (server,
 * model, engine) is none of it.
 */
export function unequalWork(base: Report, other: Report): string[] {
  const pairs: (readonly [string, unknown, unknown])[] = [
    ['API', base.spec.target.api, other.spec.target.api],
    ['streaming', base.spec.stream, other.spec.stream],
    ['prefix cache', cacheLabel(base.spec.cache), cacheLabel(other.spec.cache)],
    ['temperature', base.spec.temperature, other.spec.temperature],
    ['ignore_eos', base.spec.ignoreEos, other.spec.ignoreEos],
  ];
  const settings = pairs
    .filter(([, a, b]) => a !== b)
    .map(([what, a, b]) => `${what}: ${String(a)} and ${String(b)}`);
  const definitions = Object.keys(base.definitions)
    .filter((name) => (other.definitions[name] ?? base.definitions[name]) !== base.definitions[name])
    .map((name) => `definition of ${name}`);
  return [...settings, ...definitions];
}

/** The same for two stages of the same load. */
export function unequalStages(base: StageReport, other: StageReport): string[] {
  return (['promptTokens', 'outputTokens'] as const).flatMap((kind) => {
    const [a, b] = [base[kind]?.mean, other[kind]?.mean];
    const what = kind === 'promptTokens' ? 'prompt' : 'output';
    if (a === undefined || b === undefined)
      return a === b ? [] : [`${what} tokens a request: ${a ?? 'unknown'} and ${b ?? 'unknown'}`];
    if (Math.abs(a - b) <= tolerance * Math.max(a, b)) return [];
    return [`${what} tokens a request: ${a.toFixed(1)} and ${b.toFixed(1)}`];
  });
}

/** What differs and may explain a difference, for the reader. */
export function otherSetting(base: Report, other: Report): string[] {
  const pairs: (readonly [string, string | null, string | null])[] = [
    ['server', base.server.server, other.server.server],
    ['model', base.server.model, other.server.model],
    ['URL', base.spec.target.url, other.spec.target.url],
    ['CPU of the client', base.environment.cpu, other.environment.cpu],
    ['berth', base.environment.berth, other.environment.berth],
  ];
  return pairs.filter(([, a, b]) => a !== b).map(([what, a, b]) => `${what}: ${a ?? '-'} and ${b ?? '-'}`);
}
