/** Tokens as the engine counted them; null where it did not say. */
export interface Usage {
  readonly input: number | null;
  readonly output: number | null;
}

/** The last usage object in a piece of a reply (JSON or events); null when there is none. */
export function findUsage(text: string): Usage | null {
  let at = text.lastIndexOf('"usage"');
  while (at >= 0) {
    const usage = text[at - 1] === '\\' ? null : readUsage(text, at + 7);
    if (usage) return usage;
    at = at === 0 ? -1 : text.lastIndexOf('"usage"', at - 1);
  }
  return null;
}

function readUsage(text: string, from: number): Usage | null {
  const open = /^\s*:\s*\{/.exec(text.slice(from, from + 32));
  if (!open) return null;
  const start = from + open[0].length - 1;
  const end = closingBrace(text, start);
  if (end < 0) return null;
  try {
    const value = JSON.parse(text.slice(start, end + 1)) as Record<string, unknown>;
    return { input: count(value['prompt_tokens']), output: count(value['completion_tokens']) };
  } catch {
    return null;
  }
}

const openBrace = 123;
const closeBrace = 125;

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
