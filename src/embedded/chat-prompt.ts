import { Template } from '@huggingface/jinja';
import { Refusal, invalidRequest } from './refusal.ts';
import type { Message } from './requests.ts';

/** Renders messages into the one text that the model is given. Throws Refusal 400 when the template refuses them. */
export type ChatPrompt = (messages: readonly Message[], variables?: Record<string, unknown>) => string;

/** ChatML, which llama.cpp too falls back to. */
const fallback =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

export function createChatPrompt(model: {
  template: string | null;
  beginText: string;
  endText: string;
}): ChatPrompt {
  const template = new Template(model.template ?? fallback);
  return (messages, variables = {}) => {
    try {
      return template.render({
        bos_token: model.beginText,
        eos_token: model.endText,
        add_generation_prompt: true,
        ...variables,
        messages: messages.map(plainMessage),
      });
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw invalidRequest(`The model's chat template refuses these messages: ${reason}`);
    }
  };
}

/** Templates expect text; parts other than text have no place in a model without eyes and ears. */
function plainMessage(message: Message): Record<string, unknown> {
  const { content } = message;
  if (!Array.isArray(content)) return { ...message, content: content ?? '' };
  const texts = content.map((part) => {
    if (part.type !== 'text')
      throw invalidRequest(`This model takes no ${part.type} in messages, only text.`);
    return part.text ?? '';
  });
  return { ...message, content: texts.join('') };
}
