import type { Recognized } from '../domain/process-facts.ts';

/** Options whose files lie beside a fleet file where their paths are relative, and the flags that they come from. */
const given = [
  {
    option: 'chatTemplateFile',
    flag: '--chat-template-file',
    isRelative: (text: string) => !text.startsWith('/'),
  },
  { option: 'modelsPreset', flag: '--models-preset', isRelative: (text: string) => !text.startsWith('/') },
  // It may be the template itself.
  { option: 'chatTemplate', flag: '--chat-template', isRelative: (text: string) => /^\.{1,2}\//.test(text) },
] as const;

/** What a server opened from where it was started lies beside no fleet file: such a path stays among its words. Pure. */
export function withGivenWords(found: Recognized): Recognized {
  const words = given.flatMap(({ option, flag, isRelative }) => {
    const value = found.options[option];
    return typeof value === 'string' && isRelative(value) ? [{ option, words: [flag, value] }] : [];
  });
  if (words.length === 0) return found;
  const moved = new Set<string>(words.map(({ option }) => option));
  const options = Object.fromEntries(Object.entries(found.options).filter(([name]) => !moved.has(name)));
  const args = Array.isArray(options['args']) ? (options['args'] as string[]) : [];
  return { ...found, options: { ...options, args: [...args, ...words.flatMap((one) => one.words)] } };
}
