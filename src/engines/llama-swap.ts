import { z } from 'zod';
import { answerAt } from '../domain/server-answers.ts';
import type { Answers, Identity } from '../domain/server-answers.ts';
import { flagValue, hasFlag, parseHostPort } from '../domain/command-line/flags.ts';
import { unwrap } from '../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** llama-swap: a proxy that starts and stops the servers of its own file as they are asked for. */
export const llamaSwap = {
  kind: 'llama-swap',
  title: 'llama-swap',
  paths: [
    '/v1/models',
    '/v1/completions',
    '/v1/chat/completions',
    '/v1/embeddings',
    '/v1/responses',
    '/v1/messages',
    '/v1/messages/count_tokens',
    '/v1/rerank',
    '/rerank',
    '/v1/reranking',
    '/infill',
    '/v1/audio/transcriptions',
    '/v1/audio/speech',
    '/v1/images/generations',
  ],
  options: null,
  recognize,
  identify: { paths: ['/running'], read: identify },
} as const satisfies Engine<'llama-swap'>;

function recognize(facts: ProcessFacts): Recognized | null {
  const found = unwrap(facts.argv).find(({ program }) => /^llama-swap([-_][\w.-]+)?$/.test(program));
  if (!found || hasFlag(found.args, '-version', '--version', '-help', '--help', '-h')) return null;
  return {
    engine: 'llama-swap',
    model: null,
    ...parseHostPort(flagValue(found.args, '-listen', '--listen')),
    options: {},
    child: false,
  };
}

const Running = z.object({ running: z.array(z.object({ model: z.string() })) });

function identify(answers: Answers): Identity | null {
  const running = answerAt(answers, '/running', Running)?.running;
  return running ? { version: null, modelPath: null, served: running.map(({ model }) => model) } : null;
}
