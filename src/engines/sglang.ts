import { modelOwner } from '../domain/server-answers.ts';
import type { Answers, Identity } from '../domain/server-answers.ts';
import { flagNumber, flagValue, hasFlag } from '../domain/command-line/flags.ts';
import { unwrap } from '../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** SGLang's server; its scheduler and detokenizer are processes of their own. */
export const sglang = {
  kind: 'sglang',
  title: 'SGLang',
  paths: [
    '/v1/models',
    '/v1/completions',
    '/v1/chat/completions',
    '/v1/embeddings',
    '/v1/rerank',
    '/v1/score',
    '/classify',
    '/tokenize',
    '/detokenize',
  ],
  options: null,
  recognize,
  identify: { paths: [], read: identify },
} as const satisfies Engine<'sglang'>;

function recognize(facts: ProcessFacts): Recognized | null {
  if (facts.argv[0]?.startsWith('sglang::')) return server([], true);
  const found = unwrap(facts.argv).find(
    ({ program, path, args }) =>
      (/(^|\/)sglang((_router)?[./]launch_server|[./]srt[./]entrypoints[./]http_server)(\.py)?$/.test(path) ||
        (program === 'sglang' && args[0] === 'serve')) &&
      !hasFlag(args, '--help', '-h'),
  );
  return found ? server(found.args, false) : null;
}

function server(args: readonly string[], child: boolean): Recognized {
  const context = flagNumber(args, '--context-length');
  const tensorParallel = flagNumber(args, '--tp-size', '--tp', '--tensor-parallel-size');
  return {
    engine: 'sglang',
    model: flagValue(args, '--model-path', '--model') ?? (args[0] === 'serve' ? operandOf(args) : null),
    host: flagValue(args, '--host'),
    port: flagNumber(args, '--port'),
    options: {
      ...(context === null ? {} : { context }),
      ...(tensorParallel === null ? {} : { tensorParallel }),
    },
    child,
    ...(child ? {} : { keyed: hasFlag(args, '--api-key') }),
  };
}

/** `sglang serve org/model`: the model right behind the command. */
function operandOf(args: readonly string[]): string | null {
  const next = args[1];
  return next === undefined || next.startsWith('-') ? null : next;
}

function identify(answers: Answers): Identity | null {
  return modelOwner(answers) === 'sglang' ? { version: null, modelPath: null, served: null } : null;
}
