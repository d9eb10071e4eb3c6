/** Where servers elsewhere take the names of models that are to answer where the first one fails: OpenRouter, LiteLLM. */
export const fallbackKeys = [
  'models',
  'fallbacks',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'router_settings_override',
];
const nothing = /^(?:null|\[\s*\]|\{\s*\})$/;

/** Such a key has no model behind it. The body has been scanned. */
export function namesNothing(body: Buffer, start: number, end: number): boolean {
  return end - start <= 64 && nothing.test(body.toString('latin1', start, end));
}

/** Whether a field of a form is such a key; servers take lists as "models[]" or "models[0]". */
export function isFallbackField(name: string): boolean {
  return fallbackKeys.includes(name.split('[', 1)[0]?.toLowerCase() ?? '');
}
