import { firstOperand, flagValue, hasFlag, parseHostPort } from '../domain/command-line/flags.ts';
import { unwrap } from '../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** LocalAI: one front that starts a backend process per model. */
export const localai = {
  kind: 'localai',
  title: 'LocalAI',
  paths: [
    '/v1/models',
    '/v1/completions',
    '/v1/chat/completions',
    '/v1/embeddings',
    '/v1/responses',
    '/v1/messages',
    '/v1/rerank',
    '/v1/audio/transcriptions',
    '/v1/audio/speech',
    '/v1/images/generations',
  ],
  options: null,
  recognize,
} as const satisfies Engine<'localai'>;

/** Commands of the program that serve nothing, or compute for another. */
const clients = new Set([
  'models',
  'backends',
  'tts',
  'sound-generation',
  'transcript',
  'util',
  'explorer',
  'worker',
  'p2p-worker',
  'federated',
]);

function recognize(facts: ProcessFacts): Recognized | null {
  const found = unwrap(facts.argv).find(({ program }) =>
    /^local-?ai(-v?\d[\w.]*)?(-(linux|darwin)-\w+)?$/i.test(program),
  );
  if (!found || clients.has(found.args[0] ?? '') || hasFlag(found.args, '--help', '-h', '--version'))
    return null;
  const args = found.args[0] === 'run' ? found.args.slice(1) : found.args;
  const env = { ...facts.env, ...found.env };
  const address = flagValue(args, '--address') ?? env['LOCALAI_ADDRESS'] ?? env['ADDRESS'] ?? null;
  return {
    engine: 'localai',
    model: firstOperand(args),
    ...parseHostPort(address),
    options: {},
    child: false,
    keyed: hasFlag(args, '--api-keys') || Boolean(env['LOCALAI_API_KEY'] ?? env['API_KEY']),
  };
}
