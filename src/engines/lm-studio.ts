import { unwrap } from '../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** LM Studio, the desktop program or its daemon. Which model it serves stands in no command line. */
export const lmStudio = {
  kind: 'lm-studio',
  title: 'LM Studio',
  paths: [
    '/v1/models',
    '/v1/completions',
    '/v1/chat/completions',
    '/v1/embeddings',
    '/v1/responses',
    '/v1/messages',
  ],
  options: null,
  recognize,
} as const satisfies Engine<'lm-studio'>;

const programs = /^(lm-studio|lmstudio|LM Studio|llmster|LM-Studio[-\w.]*\.AppImage)$/;

function recognize(facts: ProcessFacts): Recognized | null {
  const found = unwrap(facts.argv).find(({ program }) => programs.test(program));
  if (!found) return null;
  // Its windows and helpers are the same program with a type.
  const child = found.args.some((word) => word.startsWith('--type='));
  return { engine: 'lm-studio', model: null, host: null, port: null, options: {}, child };
}
