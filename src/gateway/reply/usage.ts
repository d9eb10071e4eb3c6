/** Tokens as the engine counted them; null where it did not say. */
export interface Usage {
  readonly input: number | null;
  readonly output: number | null;
}

/**
 * What a reply (JSON or events) says of its tokens, read from its end; null when it says nothing. Anthropic's streams
 * tell the prompt's tokens in their first event and the answer's in their last, so that one usage object may not do.
 */
export function findUsage(text: string): Usage | null {
  let input: number | null = null;
  let output: number | null = null;
  let at = text.lastIndexOf('"usage"');
  while (at >= 0) {
    const usage = text[at - 1] === '\\' ? null : readUsage(text, at + 7);
    output ??= usage?.output ?? null;
    // A last event without the prompt's tokens may give them as 0.
    input ||= usage?.input ?? input;
    if (input !== null && output !== null) break;
    at = at === 0 ? -1 : text.lastIndexOf('"usage"', at - 1);
  }
  return input === null && output === null ? findTimings(text) : { input, output };
}

/** llama.cpp's server tells in its last event, `timings`, how many tokens it read and made, also where there is no usage. */
function findTimings(text: string): Usage | null {
  const at = text.lastIndexOf('"timings":{');
  if (at < 0 || text[at - 1] === '\\') return null;
  const end = closingBrace(text, at + 10);
  const timings = end < 0 ? '' : text.slice(at, end);
  const read = /"prompt_n":(\d+)/.exec(timings)?.[1];
  const made = /"predicted_n":(\d+)/.exec(timings)?.[1];
  // What came from the prompt's cache was read as well.
  const cached = Number(/"cache_n":(\d+)/.exec(timings)?.[1] ?? 0);
  if (read === undefined && made === undefined) return null;
  return {
    input: read === undefined ? null : Number(read) + cached,
    output: made === undefined ? null : Number(made),
  };
}

function readUsage(text: string, from: number): Usage | null {
  const colonAt = skipSpace(text, from);
  const start = skipSpace(text, colonAt + 1);
  if (text.charCodeAt(colonAt) !== colon || text.charCodeAt(start) !== openBrace) return null;
  const end = closingBrace(text, start);
  if (end < 0) return null;
  try {
    const value = JSON.parse(text.slice(start, end + 1)) as Record<string, unknown>;
    return { input: inputTokens(value), output: count(value['completion_tokens'] ?? value['output_tokens']) };
  } catch {
    return null;
  }
}

/**
 * All tokens of the prompt. OpenAI's `prompt_tokens` and `input_tokens` hold those that came from a cache, Anthropic's
 * `input_tokens` does not: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
 */
function inputTokens(usage: Record<string, unknown>): number | null {
  const fresh = count(usage['prompt_tokens'] ?? usage['input_tokens']);
  if (fresh === null) return null;
  const read = count(usage['cache_read_input_tokens']) ?? 0;
  return fresh + read + (count(usage['cache_creation_input_tokens']) ?? 0);
}

const colon = 58;
const openBrace = 123;
const closeBrace = 125;

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 32 || (code >= 9 && code <= 13); code = text.charCodeAt(at))
    at += 1;
  return at;
}

/** Usage objects hold numbers and nested objects, no strings: counting braces is enough. */
function closingBrace(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === openBrace) depth += 1;
    else if (code === closeBrace) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
