import { sharedPart } from '../../domain/run/cache.ts';
import type { Knee } from '../../domain/run/knee.ts';
import { runSchema } from '../../domain/run/schema-version.ts';
import type { Report, RunFile } from '../../domain/run/report.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { stops } from '../../domain/run/stop-reason.ts';
import { gateOf } from '../../domain/threshold.ts';
import { streamsOf } from '../../domain/strategy.ts';
import { profiles } from '../profiles/registry.ts';
import { termsOf } from '../registry-entry.ts';
import { moneyOf } from './money.ts';
import { scalingOf } from '../analyse/scaling.ts';
import type { WorkerEnd } from '../load/worker-protocol.ts';

/** The report of a run out of its files. Pure. */
export function composeReport(
  run: RunFile,
  stages: readonly StageReport[],
  end: Pick<WorkerEnd, 'interrupted' | 'unfinished' | 'originAt' | 'server' | 'calibration'>,
  endedAt: Date,
): Report {
  const knee = termsOf(profiles, run.spec.profile).conclude(stages);
  return {
    schema: runSchema,
    id: run.id,
    name: run.spec.name,
    startedAt: run.startedAt,
    endedAt: endedAt.toISOString(),
    interrupted: end.interrupted,
    unfinished: end.unfinished,
    resumed: run.resumed,
    originAt: end.originAt,
    spec: run.spec,
    environment: run.environment,
    server: end.server ?? {
      model: run.spec.target.model ?? 'unknown',
      server: null,
      tokenizer: null,
      templateTokens: null,
      engine: null,
      notes: [],
    },
    definitions: run.definitions,
    calibration: end.calibration,
    spent: spentOf(run, stages),
    stages: [...stages],
    scaling: scalingOf(stages),
    ...(knee === null ? {} : { knee }),
    clientLimited: isClientLimited(stages, knee),
    gates: gatesOf(run.spec.thresholds, stages, knee),
    warnings: warningsOf(run, stages, end),
  };
}

/**
 * What a sweep found rests on the loads beside its knee, and there on the stages that the client did not limit, if there
 * are such: that it was the limit far above says nothing of the knee.
 */
function isClientLimited(stages: readonly StageReport[], knee: Knee | null): boolean {
  const limited = new Set(stages.filter(({ client }) => client.limited).map(({ index }) => index));
  if (knee === null) return limited.size > 0;
  return [knee.level, knee.missedAt].some((beside) => {
    const same = knee.levels.filter(({ level }) => level === beside);
    return same.length > 0 && same.every(({ stage }) => limited.has(stage));
  });
}

function spentOf({ spec }: RunFile, stages: readonly StageReport[]): Report['spent'] {
  const known = stages.flatMap(({ spent }) => spent ?? []);
  if (known.length === 0 || known.length < stages.length) return null;
  const used = {
    promptTokens: known.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
    outputTokens: known.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
    seconds: Math.max(...known.map(({ until }) => until)) / 1e6,
  };
  return { ...used, money: moneyOf(spec.stops, used) };
}

/** Each stage is held against each threshold. Of a sweep, which looks for loads that miss them, its knee alone. */
function gatesOf(
  thresholds: readonly string[],
  stages: readonly StageReport[],
  knee: Knee | null,
): Report['gates'] {
  const held = knee === null ? stages : stages.filter(({ index }) => index === knee.stage);
  const gates = held.flatMap((stage) => thresholds.map((threshold) => gateOf(stage, threshold)));
  if (knee === null || knee.level !== null) return gates;
  return knee.keep.map((threshold) => ({ stage: 'every stage', threshold, value: null, passed: false }));
}

/** What a reader of the figures must know, in sentences. */
function warningsOf(
  run: RunFile,
  stages: readonly StageReport[],
  end: Pick<WorkerEnd, 'interrupted' | 'server'>,
): string[] {
  const warnings = end.interrupted ? ['The run was interrupted: later stages are missing or short.'] : [];
  warnings.push(...seamWarnings(run, stages));
  for (const stage of stages) {
    const found = [
      ...stageWarnings(stage, { isLast: stage === stages.at(-1) }),
      ...cacheWarnings(stage, run.spec),
    ];
    warnings.push(...found.map((text) => `${stage.label}: ${text}`));
  }
  const asked = stages.some((stage) => (stage.outputTokens?.offTarget ?? 0) > 0);
  if (asked && run.spec.ignoreEos)
    warnings.push('Answers are not of the length asked for: the server did not honour ignore_eos.');
  const means = stages.flatMap((stage) => (stage.outputTokens ? [stage.outputTokens.mean] : []));
  if (means.length > 1 && Math.max(...means) > 1.1 * Math.min(...means))
    warnings.push(
      'Stages differ in output tokens per request by more than 10 %: compare them by tokens only.',
    );
  return [...warnings, ...(end.server?.notes ?? [])];
}

function settledWarnings({ settled, steady }: StageReport): string[] {
  if (settled === null) return [];
  if (!settled.found)
    return [
      'the token rate never settled: no part of the window is steady, and a longer stage would tell more.',
    ];
  const rate = settled.outputTokensPerSecond;
  const whole = steady?.outputTokensPerSecond ?? null;
  if (rate === null || !whole || Math.abs(rate / whole - 1) <= 0.05) return [];
  return [
    `the first ${settled.cutSeconds?.toFixed(1)} s of the window (${Math.round(100 * (settled.cutShare ?? 0))} %) were start-up: ${rate.toFixed(1)} output tokens/s after them, ${whole.toFixed(1)} over the whole window.`,
  ];
}

/** Downtime is not on the run's clock, so rates over whole stages hold. */
function seamWarnings(run: RunFile, stages: readonly StageReport[]): string[] {
  return run.resumed.map(({ at, stage, lost }) => {
    const label = stages.find(({ index }) => index === stage)?.label ?? `stage ${stage + 1}`;
    return `The run was resumed at ${label} (${at.slice(0, 19).replace('T', ' ')} UTC): ${lost === 0 ? 'no request' : lost === 1 ? '1 request' : `${lost} requests`} in flight when it broke off ${lost > 1 ? 'are' : 'is'} lost, and its steady rates are those over the windows of all its parts.`;
  });
}

function stageWarnings(stage: StageReport, { isLast }: { isLast: boolean }): string[] {
  const { requests, engine, consistency } = stage;
  const warnings: string[] = [];
  if (stage.stopped !== null && stage.stopped !== 'interrupted')
    warnings.push(
      `ended before its limit${isLast ? ', and the run with it' : ''}: ${stops[stage.stopped].text}.`,
    );
  warnings.push(...settledWarnings(stage));
  if (stage.client.limited) warnings.push(`limited by the client: ${stage.client.reasons.join('; ')}.`);
  if (requests.failed > 0) warnings.push(`${requests.failed} of ${requests.measured} requests failed.`);
  if (requests.censored > 0)
    warnings.push(
      `${requests.censored} ${requests.censored === 1 ? 'request was' : 'requests were'} cut at the end of the drain: long answers are missing.`,
    );
  const dropped = stage.openLoop?.dropped ?? 0;
  if (dropped > 0)
    warnings.push(
      `${dropped} ${dropped === 1 ? 'start was' : 'starts were'} dropped: as many requests as allowed were in flight already. The server does not keep up with this rate.`,
    );
  if (engine?.agrees === false)
    warnings.push(
      `the engine counted ${engine.promptTokens} prompt and ${engine.outputTokens} output tokens, ` +
        `the answers say ${engine.countedPromptTokens} and ${engine.countedOutputTokens}.`,
    );
  if ((stage.outputTokens?.sources.length ?? 0) > 1)
    warnings.push(`token counts come from different sources: ${stage.outputTokens?.sources.join(', ')}.`);
  if (stage.countsTooFew > 0)
    warnings.push(
      `${stage.countsTooFew} answers have fewer tokens by the server's count than they had events with tokens: they have no TPOT, and rates of tokens are too low if that count is wrong.`,
    );
  if (consistency && stage.steady && enoughForConsistency(stage) && Math.abs(consistency.ratio - 1) > 0.15)
    warnings.push(
      `the counted output rate is ${Math.round(consistency.ratio * 100)} % of what the latencies imply.`,
    );
  return warnings;
}

/**
 * A chat template alone may be shared; more than a tenth of the prompts means that the server knew them. Where a share was
 * made the same on purpose, the server's own account is held against it.
 */
function cacheWarnings(stage: StageReport, { cache, data }: RunSpec): string[] {
  const found = (stage.cachedTokens ?? 0) / Math.max(1, stage.promptTokens?.sum ?? 0);
  const percent = Math.round(found * 100);
  const shared = sharedPart(cache);
  if (shared !== null) {
    if (stage.cachedTokens === null || Math.abs(found - shared) <= 0.1) return [];
    return [
      `${percent} % of the prompt tokens came from the server's prefix cache, though ${Math.round(shared * 100)} % of each prompt were the same.`,
    ];
  }
  if (cache === 'warm')
    return data['samples'] !== undefined && stage.cachedTokens !== null && found < 0.5
      ? [notWarm(percent)]
      : [];
  if (found <= 0.1) return [];
  return [`${percent} % of the prompt tokens came from the server's prefix cache, though it was to be cold.`];
}

function notWarm(percent: number): string {
  return `${percent} % of the prompt tokens came from the server's prefix cache, though each prompt had been sent before.`;
}

/** A window of a few requests starts and ends in the middle of some: the law holds for long ones only. */
function enoughForConsistency(stage: StageReport): boolean {
  return stage.requests.ok >= 10 * (streamsOf(stage.strategy) ?? Number.POSITIVE_INFINITY);
}
