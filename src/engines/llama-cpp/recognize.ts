import { unwrap } from '../../domain/command-line/unwrap.ts';
import type { Unwrapped } from '../../domain/command-line/unwrap.ts';
import { addFromEnv, flagName, readFlags } from '../../domain/command-line/flag-rows.ts';
import type { FlagValues } from '../../domain/command-line/flag-rows.ts';
import { flagValue, hasFlag } from '../../domain/command-line/flags.ts';
import { redact } from '../../domain/command-line/redact.ts';
import type { ProcessFacts, Recognized } from '../../domain/process-facts.ts';
import { flags, riskyFlags, secretFlags } from './flags.ts';
import { isRouter } from './is-router.ts';
import { modelFlags, modelVariables, spelled } from './model-flags.ts';

/** Reads a llama-server back from its command line and its LLAMA_ARG_* variables; the command line wins, as in the server. */
export function recognize(facts: ProcessFacts): Recognized | null {
  const found = unwrap(facts.argv).find((command) => isLlamaServer(command, facts.env));
  if (!found || isRouter(found, facts)) return null;
  const env = { ...facts.env, ...found.env };
  const { values, rest } = readFlags(llamaServerArgs(found), flags, spelled);
  const unsaid = addFromEnv(values, flags, env);
  addRefusals(values, env);
  // Beside a file such a name only says where that is fetched from.
  const { model: remote, others } = values.has('model') ? { model: null, others: rest } : takeModelName(rest);
  return {
    engine: 'llama.cpp',
    model: (values.get('model') as string | undefined) ?? remote ?? modelIn(env) ?? ownModel(found),
    host: (values.get('host') as string | undefined) ?? null,
    port: (values.get('port') as number | undefined) ?? null,
    options: { binary: found.path, ...ourOptions(values), args: redact([...others, ...unsaid]) },
    child: false,
    keyed: values.has('keyFile') || hasFlag(rest, '--api-key') || Boolean(env['LLAMA_API_KEY']),
    exposes: rest.filter((word) => riskyFlags.test(word)),
  };
}

/** "LLAMA_ARG_NO_KV_OFFLOAD" says no by being there, whatever it holds. */
function addRefusals(values: FlagValues, env: Readonly<Record<string, string>>): void {
  for (const { option, shape, env: name } of flags) {
    const no = name?.replace(/^LLAMA_ARG_/, '$&NO_') ?? '';
    if (shape === 'toggle' && env[no] !== undefined && !values.has(option)) values.set(option, false);
  }
}

function modelIn(env: Readonly<Record<string, string>>): string | null {
  const name = modelVariables.find((one) => env[one]);
  const model = name === undefined ? null : (env[name] ?? null);
  const file = env['LLAMA_ARG_HF_FILE'];
  return name === 'LLAMA_ARG_HF_REPO' && model !== null && file ? fileOf(model, file) : model;
}

/** Variables that are read as options, or as the model. */
export const optionVariables: ReadonlySet<string> = new Set([
  ...flags.flatMap(({ env }) => env ?? []),
  ...modelVariables,
  'LLAMA_ARG_HF_FILE',
]);

/** Programs beside it that have its name within theirs. */
const besides =
  /[-_.](bench\w*|exporter|metrics|client|tests?|logs?|proxy|ui|monitor|watch\w*|supervis\w*|health\w*|status|stats|info|check\w*|probe|dash\w*|manager|updater?|install\w*|config\w*|md|json|ya?ml|txt)$/;

/** It prints what it is asked for, and serves nothing. */
const endsAtOnce = [
  '--help',
  '-h',
  '--usage',
  '--version',
  '--license',
  '--list-devices',
  '--cache-list',
  '-cl',
  '--completion-bash',
];

export function isLlamaServer(command: Unwrapped, inherited: ProcessFacts['env'] = null): boolean {
  const { program, args } = command;
  if (hasFlag(args, ...endsAtOnce)) return false;
  if (program === 'llama-server' || program === 'llama-box') return true;
  if (program === 'llama' && args[0] === 'serve') return true;
  // The entrypoint of its full image.
  if (program === 'tools.sh') return /^(--server|-s)$/.test(args[0] ?? '') && hasFlag(args, ...modelFlags);
  // By itself it serves and opens a browser; with a prompt it answers that, and with others of these it talks in the terminal.
  if (isLlamafile(program))
    return hasFlag(args, '--server', '--nobrowser', '--host', '--port') || !talks(command);
  // Builds under other names, and the name that the server had at first, which others have, too.
  if (/^(?!ollama_)([\w.-]+[-_.])?llama[-_](cpp[-_])?server([-_.][\w.-]*)?$/.test(program))
    return !besides.test(program) && namesModel(command, inherited);
  const model = flagValue(args, '-m', '--model') ?? flagValue(args, '-hf', '--hf-repo') ?? '';
  const isServer = program === 'server' || (program === 'main' && hasFlag(args, '--server'));
  return isServer && /\.gguf$|(ggml|[-.]q\d)[^/]*\.bin$|^[\w.-]+\/[\w.-]+-gguf(:|$)/i.test(model);
}

function namesModel({ args, env }: Unwrapped, inherited: ProcessFacts['env']): boolean {
  const all = { ...inherited, ...env };
  return (
    hasFlag(args, ...modelFlags, '--models-dir', '--models-preset') ||
    ['LLAMA_ARG_MODEL', ...modelVariables].some((name) => Boolean(all[name]))
  );
}

/** A model and its server in one file, or the program that such files are made with. */
function isLlamafile(program: string): boolean {
  return /^llamafile(-v?\d[\d.]*)?$/.test(program) || program.endsWith('.llamafile');
}

function talks({ program, args }: Unwrapped): boolean {
  if (!program.endsWith('.llamafile') && !hasFlag(args, '-m', '--model')) return true;
  return hasFlag(args, '--cli', '--chat', '-p', '--prompt', '-f', '--file');
}

export function llamaServerArgs(command: Unwrapped): readonly string[] {
  return ['llama', 'tools.sh'].includes(command.program) ? command.args.slice(1) : command.args;
}

function ownModel({ program, path }: Unwrapped): string | null {
  return program.endsWith('.llamafile') ? path : null;
}

/** What stands elsewhere in a fleet file than under `engine`. */
const elsewhere = new Set(['model', 'mmproj', 'host', 'port', 'metrics', 'keyFile', 'ui']);

/** The server counts its context over all slots, berth per request. */
function ourOptions(values: FlagValues): Record<string, unknown> {
  const options = Object.fromEntries([...values].filter(([option]) => !elsewhere.has(option)));
  const { context, slots } = options;
  if (typeof context !== 'number' || typeof slots !== 'number' || slots < 1) return options;
  return { ...options, context: Math.floor(context / slots) };
}

const modelNames = modelFlags.slice(2);

/** A model that is no file, but a repository or an address; and the words without it. */
function takeModelName(rest: readonly string[]): { model: string | null; others: readonly string[] } {
  const { flag, value: model, others } = takeFlag(rest, modelNames);
  if (model === null || secretFlags.has(model)) return { model: null, others: rest };
  return fromRepository.has(flag) ? withFile(model, others) : { model, others };
}

const fromRepository: ReadonlySet<string> = new Set(['-hf', '-hfr', '--hf-repo']);

/** The one file of a repository that is named beside it, which wins over a quantization. */
function withFile(repo: string, others: readonly string[]): { model: string; others: readonly string[] } {
  const file = takeFlag(others, ['-hff', '--hf-file']);
  if (file.value === null) return { model: repo, others };
  return { model: fileOf(repo, file.value), others: file.others };
}

function fileOf(repo: string, file: string): string {
  return `hf://${repo.replace(/:.*$/, '')}/${file}`;
}

/** The first of these flags, with its value behind it or joined to it, and the words without both. */
function takeFlag(
  words: readonly string[],
  names: readonly string[],
): { flag: string; value: string | null; others: readonly string[] } {
  const at = words.findIndex((word) => names.includes(flagName(word, spelled)));
  const [, joined] = /^[^=]+=(.*)$/.exec(words[at] ?? '') ?? [];
  const value = joined ?? words[at + 1];
  if (at < 0 || value === undefined) return { flag: '', value: null, others: words };
  const others = words.toSpliced(at, joined === undefined ? 2 : 1);
  return { flag: flagName(words[at] ?? '', spelled), value, others };
}
