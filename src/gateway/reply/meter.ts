import type { Histogram } from '../../stats/histogram.ts';
import type { MetricFamily } from '../../stats/prometheus.ts';
import { counters, histograms } from '../../stats/vectors.ts';
import type { Cell } from '../../stats/vectors.ts';
import { bounds, genAi } from '../observe/metric-names.ts';

/** Where the requests of one endpoint and model are counted; looked up once a request. */
export interface Series {
  readonly status: (code: number) => Cell;
  readonly duration: Histogram;
  readonly firstToken: Histogram;
  readonly gap: Histogram;
  readonly perToken: Histogram;
  readonly genAiPerToken: Histogram;
  readonly queueWait: Histogram;
  readonly genAiDuration: (error: string) => Histogram;
  readonly genAiFirstToken: Histogram;
  readonly inputTokens: Histogram;
  readonly outputTokens: Histogram;
  readonly tokens: (direction: 'input' | 'output', source: 'engine' | 'estimate') => Cell;
}

/** All that the gateway counts, over its whole life; reloads do not touch it. */
export interface Meter {
  /** `deployment` is empty until it is known which one serves. */
  readonly series: (endpoint: string, operation: string, model: string, deployment?: string) => Series;
  /** Requests refused by a limit, by whose limit it is and why. */
  readonly rejected: (scope: string, reason: string) => void;
  readonly retried: (reason: string) => void;
  /** Served by a fallback, in place of the model that was asked for. */
  readonly fellBack: (model: string, route: string) => void;
  /** An engine that was started again. */
  readonly restarted: (deployment: string, reason: string) => void;
  /** Upstream requests cut before their end. */
  readonly aborted: (cause: string) => void;
  /** A connection cut whose client took nothing of a finished reply. */
  readonly leftUnread: () => void;
  /** Counts a request that has ended for the key that asked. */
  readonly used: (key: string, tokens: { readonly input: number; readonly output: number }) => void;
  /** `genAi`: also under the names of OpenTelemetry's conventions. */
  readonly families: (options: { genAi: boolean }) => MetricFamily[];
}

/** Keys are the operator's to make; a thousand of them must not fill a monitor. */
const mostKeys = 200;

export function createMeter(): Meter {
  const vectors = createVectors();
  // Maps in maps and no joined key: a string made for each request would have to be hashed for each request.
  const known = new Map<string, Map<string, Map<string, Series>>>();
  const keys = new Map<string, KeyCells>();
  return {
    series: (endpoint, operation, model, deployment = '') => {
      const found = known.get(endpoint)?.get(model)?.get(deployment);
      if (found) return found;
      const made = createSeries(vectors, { endpoint, operation, model, deployment });
      const models = known.get(endpoint) ?? new Map<string, Map<string, Series>>();
      const deployments = models.get(model) ?? new Map<string, Series>();
      known.set(endpoint, models.set(model, deployments.set(deployment, made)));
      return made;
    },
    rejected: (scope, reason) => void (vectors.rejects.at(scope, reason).value += 1),
    retried: (reason) => void (vectors.retries.at(reason).value += 1),
    fellBack: (model, route) => void (vectors.fallbacks.at(model, route).value += 1),
    restarted: (deployment, reason) => void (vectors.restarts.at(deployment, reason).value += 1),
    aborted: (cause) => void (vectors.aborts.at(cause).value += 1),
    leftUnread: () => void (vectors.unread.at().value += 1),
    used: (key, tokens) => {
      let cells = keys.get(key);
      if (!cells) keys.set(key, (cells = keyCells(vectors, key)));
      cells.requests.value += 1;
      cells.input.value += tokens.input;
      cells.output.value += tokens.output;
    },
    families: ({ genAi: conventional }) =>
      Object.entries(vectors)
        .filter(([name]) => conventional || !name.startsWith('genAi'))
        .map(([, vector]) => vector.family()),
  };
}

interface KeyCells {
  readonly requests: Cell;
  readonly input: Cell;
  readonly output: Cell;
}

function keyCells(vectors: Vectors, key: string): KeyCells {
  return {
    requests: vectors.keyRequests.at(key),
    input: vectors.keyTokens.at(key, 'input'),
    output: vectors.keyTokens.at(key, 'output'),
  };
}

type Vectors = ReturnType<typeof createVectors>;

function createVectors() {
  return { ...ownVectors(), ...genAiVectors() };
}

function ownVectors() {
  function count(name: string, help: string, names: string[], maxSeries = 1000) {
    return counters({ name: `berth_gateway_${name}`, help, labels: names, maxSeries });
  }
  function seconds(name: string, help: string, limits: readonly number[]) {
    return histograms({
      name: `berth_gateway_${name}_seconds`,
      help,
      labels: ['endpoint', 'model', 'deployment'],
      bounds: limits,
    });
  }
  return {
    requests: count('requests_total', 'Requests answered, by status; 499: the client left.', [
      'endpoint',
      'model',
      'status',
      'deployment',
    ]),
    duration: seconds('request_duration', 'From the request to the end of its reply.', bounds.long),
    firstToken: seconds('ttft', 'From the request to the first event of a stream.', bounds.long),
    gap: seconds('itl', 'Between two reads of a stream.', bounds.short),
    perToken: seconds('tpot', 'Per token after the first, of good streams.', bounds.short),
    queueWait: seconds('queue_wait', 'In line for a slot, or for a model to be loaded.', bounds.long),
    rejects: count('limit_rejects_total', 'Requests refused by a limit.', ['scope', 'reason']),
    retries: count('retries_total', 'Attempts at another instance.', ['reason']),
    fallbacks: count('fallbacks_total', 'Requests served by another route than the one asked for.', [
      'model',
      'route',
    ]),
    restarts: count('engine_restarts_total', 'Engines that berth up has started again.', [
      'deployment',
      'reason',
    ]),
    aborts: count('upstream_aborts_total', 'Upstream requests cut before their end.', ['cause']),
    unread: count(
      'unread_replies_total',
      'Connections cut whose client took nothing of a finished reply.',
      [],
    ),
    tokens: count(
      'tokens_total',
      'Tokens as the engine counted them, or, of a stream that broke off, estimated: the prompt by its bytes, the answer by its events.',
      ['model', 'direction', 'source', 'deployment'],
    ),
    keyRequests: count('key_requests_total', 'Requests that have ended, by key.', ['key'], mostKeys),
    keyTokens: count(
      'key_tokens_total',
      'Tokens by key, the estimated ones too.',
      ['key', 'direction'],
      2 * mostKeys,
    ),
  };
}

/** The same once more for those whose dashboards follow the conventions: their names, attributes and buckets. */
function genAiVectors() {
  const { labels } = genAi;
  const common = [labels.operation, labels.provider, labels.requestModel];
  function conventional(name: string, help: string, limits: readonly number[], more: string[] = []) {
    return histograms({ name, help, labels: [...common, ...more], bounds: limits });
  }
  const firstToken = 'Queue and prefill, of good replies.';
  return {
    genAiDuration: conventional(genAi.requestDuration, 'Request duration.', bounds.duration, [labels.error]),
    genAiFirstToken: conventional(genAi.timeToFirstToken, firstToken, bounds.firstToken),
    genAiPerToken: conventional(genAi.timePerOutputToken, 'Per token after the first.', bounds.perToken),
    genAiTokens: conventional(genAi.tokenUsage, 'Tokens per request.', bounds.tokens, [labels.tokenType]),
  };
}

function createSeries(
  vectors: Vectors,
  of: { endpoint: string; operation: string; model: string; deployment: string },
): Series {
  const { endpoint, operation, model, deployment } = of;
  const conventional = [operation, 'berth', model];
  const statuses = new Map<number, Cell>();
  const goodDuration = vectors.genAiDuration.at(...conventional, '');
  const counted = {
    input: vectors.tokens.at(model, 'input', 'engine', deployment),
    output: vectors.tokens.at(model, 'output', 'engine', deployment),
  };
  return {
    status: (code) => {
      let cell = statuses.get(code);
      if (!cell) statuses.set(code, (cell = vectors.requests.at(endpoint, model, String(code), deployment)));
      return cell;
    },
    duration: vectors.duration.at(endpoint, model, deployment),
    firstToken: vectors.firstToken.at(endpoint, model, deployment),
    gap: vectors.gap.at(endpoint, model, deployment),
    perToken: vectors.perToken.at(endpoint, model, deployment),
    genAiPerToken: vectors.genAiPerToken.at(...conventional),
    queueWait: vectors.queueWait.at(endpoint, model, deployment),
    genAiDuration: (error) =>
      error === '' ? goodDuration : vectors.genAiDuration.at(...conventional, error),
    genAiFirstToken: vectors.genAiFirstToken.at(...conventional),
    inputTokens: vectors.genAiTokens.at(...conventional, 'input'),
    outputTokens: vectors.genAiTokens.at(...conventional, 'output'),
    tokens: (direction, source) =>
      source === 'engine' ? counted[direction] : vectors.tokens.at(model, direction, source, deployment),
  };
}
