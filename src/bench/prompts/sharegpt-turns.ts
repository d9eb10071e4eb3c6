import { z } from 'zod';

/** A conversation of a file: what was said at each turn, and the answer that it had there. */
export interface FileConversation {
  readonly system: string | null;
  readonly turns: readonly { readonly said: string; readonly answer: string }[];
}

const Message = z
  .object({
    from: z.string().optional(),
    role: z.string().optional(),
    value: z.string().optional(),
    content: z.string().optional(),
  })
  .transform(({ from, role, value, content }) => ({
    who: speakers[(from ?? role ?? '').toLowerCase()] ?? null,
    text: value ?? content ?? null,
  }));
const Entry = z
  .object({ conversations: z.array(Message).optional(), messages: z.array(Message).optional() })
  .transform(({ conversations, messages }) => conversations ?? messages ?? []);

const speakers: Readonly<Record<string, 'user' | 'assistant' | 'system'>> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  assistant: 'assistant',
  bard: 'assistant',
  bing: 'assistant',
  model: 'assistant',
  system: 'system',
};

/**
 * Null: nobody said anything that was answered, or somebody else took part (a tool, say). What an assistant says first, as
 * in halves of conversations, is left out, and so is a last turn without an answer.
 */
export function conversationOf(entry: Record<string, unknown>): FileConversation | null {
  const parsed = Entry.safeParse(entry);
  if (!parsed.success) return null;
  const turns: { said: string; answer: string }[] = [];
  let system: string | null = null;
  let said: string | null = null;
  for (const { who, text } of parsed.data) {
    if (who === null || text === null) return null;
    if (text.trim() === '') continue;
    if (who === 'system') system = joined(system, text);
    else if (who === 'user') said = joined(said, text);
    else if (said !== null) {
      turns.push({ said, answer: text });
      said = null;
    } else {
      const last = turns.at(-1);
      if (last) last.answer = joined(last.answer, text);
    }
  }
  return turns.length === 0 ? null : { system, turns };
}

function joined(before: string | null, text: string): string {
  return before === null ? text : `${before}\n${text}`;
}
