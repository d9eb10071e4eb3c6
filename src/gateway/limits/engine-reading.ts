/** What an engine tells of itself at one moment; null where it does not say, which is never the same as 0. */
export interface EngineReading {
  readonly running: number | null;
  /** Requests that wait for capacity; not those that are put off by design, as long prompts are. */
  readonly waiting: number | null;
  /** Requests that lost their place in the cache so far. */
  readonly preemptions: number | null;
  /** Tokens that all requests together may hold in the cache. */
  readonly kvTokens: number | null;
}

interface Row {
  readonly labels: string;
  readonly value: number;
}

/** Reads the Prometheus text of vLLM or llama.cpp; null when it has the figures of neither. Lines that are not understood are left out. */
export function readEngine(text: string): EngineReading | null {
  const rows = rowsOf(text);
  function sum(name: string, label = ''): number | null {
    const found = rows.get(name)?.filter(({ labels }) => labels.includes(label)) ?? [];
    return found.length === 0 ? null : found.reduce((total, { value }) => total + value, 0);
  }
  const reading = {
    running: sum('vllm:num_requests_running') ?? sum('llamacpp:requests_processing'),
    waiting:
      sum('vllm:num_requests_waiting_by_reason', 'reason="capacity"') ??
      sum('vllm:num_requests_waiting') ??
      sum('llamacpp:requests_deferred'),
    preemptions: sum('vllm:num_preemptions_total'),
    kvTokens: kvTokens(rows.get('vllm:cache_config_info') ?? []),
  };
  return Object.values(reading).every((value) => value === null) ? null : reading;
}

/** Names are compared whole: one is the start of another here. */
const line = /^((?:vllm|llamacpp):\w+)(\{.*\})?[ \t]+(\S+)/;

function rowsOf(text: string): Map<string, Row[]> {
  const rows = new Map<string, Row[]>();
  for (const one of text.split('\n')) {
    const [, name, labels = '', figure] = line.exec(one) ?? [];
    const value = Number(figure);
    if (name === undefined || !Number.isFinite(value)) continue;
    rows.set(name, [...(rows.get(name) ?? []), { labels, value }]);
  }
  return rows;
}

/** vLLM tells its cache in the labels of an info metric; newer versions in tokens, older ones in blocks. */
function kvTokens(rows: readonly Row[]): number | null {
  let total: number | null = null;
  for (const { labels } of rows) {
    const blocks = labelNumber(labels, 'num_gpu_blocks');
    const blockSize = labelNumber(labels, 'block_size');
    const tokens =
      labelNumber(labels, 'kv_cache_size_tokens') ??
      (blocks !== null && blockSize !== null ? blocks * blockSize : null);
    if (tokens !== null) total = (total ?? 0) + tokens;
  }
  return total;
}

function labelNumber(labels: string, name: string): number | null {
  const text = new RegExp(`[{,]\\s*${name}="(\\d+(?:\\.\\d+)?)"`).exec(labels)?.[1];
  const value = Number(text);
  return text !== undefined && value > 0 ? value : null;
}
