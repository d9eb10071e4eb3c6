import type { BenchPrompt } from '../contract.ts';

/** A prompt for an API that takes texts alone: messages one below the other, without what is no text. */
export function plainText(content: BenchPrompt['content']): string {
  if (typeof content === 'string') return content;
  return content.map((message) => textOf(message.content)).join('\n');
}

/** The text of a message, whether it is one or has parts. */
function textOf(content: unknown): string {
  if (!Array.isArray(content)) return String(content);
  return content
    .flatMap((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : []))
    .join('\n');
}
