import { ScanFault, scanObject } from './scan.ts';

/** Where servers elsewhere take the names of models that are to answer where the first one fails: OpenRouter, LiteLLM, Vercel. */
export const fallbackKeys = [
  'models',
  'fallbacks',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'router_settings_override',
  'providerOptions',
];
const nothing = /^(?:null|\[\s*\]|\{\s*\})$/;

/** There are models behind such a key. The body has been scanned. */
export function namesModels(key: string, body: Buffer, start: number, end: number): boolean {
  if (end - start <= 64 && nothing.test(body.toString('latin1', start, end))) return false;
  return key !== 'providerOptions' || hasModels(body.subarray(start, end), ['gateway', 'models']);
}

/** Other options than that are for whoever serves the model. What can be read in two ways has some. */
function hasModels(options: Buffer, [key = '', ...rest]: readonly string[]): boolean {
  try {
    const found = scanObject(options, [key]).get(key);
    if (!found) return false;
    const { start, end } = found;
    return rest.length > 0
      ? hasModels(options.subarray(start, end), rest)
      : namesModels(key, options, start, end);
  } catch (error) {
    if (error instanceof ScanFault) return true;
    throw error;
  }
}

/** Whether a field of a form is such a key; servers take lists as "models[]" or "models[0]". */
export function isFallbackField(name: string): boolean {
  const bare = name.split('[', 1)[0]?.toLowerCase();
  return fallbackKeys.some((key) => key.toLowerCase() === bare);
}
