import { BerthError } from '../domain/errors/berth-error.ts';

const numberKeys: Readonly<Record<string, string>> = {
  prompt: 'prompt',
  prompt_tokens: 'prompt',
  output: 'output',
  output_tokens: 'output',
};

/**
 * `--data` in one word: the path of a JSON-lines file, or `prompt_tokens=256,output_tokens=128` as other tools write
 * it, with or without `kind=`. Throws USAGE for a key that it does not know.
 */
export function parseData(text: string): { kind: string; [key: string]: unknown } {
  if (!text.includes('=')) return { kind: 'jsonl', file: text };
  const data: { kind: string; [key: string]: unknown } = { kind: 'synthetic' };
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at).trim();
    const value = pair.slice(at + 1).trim();
    const numeric = numberKeys[key];
    if (key === 'kind') data.kind = value === 'synthetic_text' ? 'synthetic' : value;
    else if (key === 'file' || key === 'path') data['file'] = value;
    else if (numeric !== undefined && /^\d+$/.test(value)) data[numeric] = Number(value);
    else
      throw new BerthError('USAGE', {
        detail: `--data does not understand "${pair}"; it knows kind, prompt_tokens, output_tokens and file.`,
        command: 'bench',
      });
  }
  return data;
}
