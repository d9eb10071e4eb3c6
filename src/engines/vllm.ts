import { answerAt, modelOwner, VersionAnswer } from '../domain/server-answers.ts';
import type { Answers, Identity } from '../domain/server-answers.ts';
import { firstOperand, flagNumber, flagValue, hasFlag } from '../domain/command-line/flags.ts';
import { unwrap } from '../domain/command-line/unwrap.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** vLLM's OpenAI server: `vllm serve MODEL`, or its module run by Python. */
export const vllm = {
  kind: 'vllm',
  title: 'vLLM',
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
    '/v2/rerank',
    '/v1/score',
    '/score',
    '/classify',
    '/pooling',
    '/tokenize',
    '/detokenize',
    '/v1/audio/transcriptions',
    '/v1/audio/translations',
  ],
  options: null,
  recognize,
  identify: { paths: ['/version'], read: identify },
  keyAdvice: 'Give vLLM the key in a configuration file that only its user can read (--config).',
} as const satisfies Engine<'vllm'>;

const modules = ['vllm.entrypoints.openai.api_server', 'vllm.entrypoints.cli.main', 'vllm'];
const switches = [
  '--enforce-eager',
  '--trust-remote-code',
  '--enable-prefix-caching',
  '--enable-auto-tool-choice',
];

function recognize(facts: ProcessFacts): Recognized | null {
  // Its workers rename themselves: "VLLM::EngineCore", "VLLM::Worker_TP0".
  if (facts.argv[0]?.startsWith('VLLM::')) return server([], { ...facts.env }, true);
  const found = unwrap(facts.argv).find(isServer);
  return found ? server(serverArgs(found), { ...facts.env, ...found.env }, false) : null;
}

function isServer({ program, args }: Unwrapped): boolean {
  if (hasFlag(args, '--help', '-h')) return false;
  if (program === 'vllm.entrypoints.openai.api_server') return true;
  return (program === 'vllm' || modules.includes(program)) && args[0] === 'serve';
}

function serverArgs({ program, args }: Unwrapped): readonly string[] {
  return program === 'vllm.entrypoints.openai.api_server' ? args : args.slice(1);
}

function server(args: readonly string[], env: Readonly<Record<string, string>>, child: boolean): Recognized {
  const number = {
    context: flagNumber(args, '--max-model-len'),
    maxSeqs: flagNumber(args, '--max-num-seqs'),
    tensorParallel: flagNumber(args, '--tensor-parallel-size', '-tp'),
    port: flagNumber(args, '--port'),
  };
  const { port, ...options } = number;
  return {
    engine: 'vllm',
    model: flagValue(args, '--model') ?? firstOperand(args, switches),
    host: flagValue(args, '--host'),
    port,
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)),
    child,
    ...(child ? {} : { keyed: hasFlag(args, '--api-key') || Boolean(env['VLLM_API_KEY']) }),
  };
}

function identify(answers: Answers): Identity | null {
  if (modelOwner(answers) !== 'vllm') return null;
  const version = answerAt(answers, '/version', VersionAnswer)?.version ?? null;
  return { version, modelPath: null, served: null };
}
