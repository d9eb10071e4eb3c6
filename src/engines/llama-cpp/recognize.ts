import { unwrap } from '../../domain/command-line/unwrap.ts';
import type { Unwrapped } from '../../domain/command-line/unwrap.ts';
import { hasFlag, toNumber } from '../../domain/command-line/flags.ts';
import { redact } from '../../domain/command-line/redact.ts';
import type { ProcessFacts, Recognized } from '../../domain/process-facts.ts';
import { flags, riskyFlags, secretFlags } from './flags.ts';
import type { Flag } from './flags.ts';

/** Reads a llama-server back from its command line and its LLAMA_ARG_* variables; the command line wins, as in the server. */
export function recognize(facts: ProcessFacts): Recognized | null {
  const found = unwrap(facts.argv).find(isServer);
  if (!found) return null;
  const env = { ...facts.env, ...found.env };
  const { values, rest } = readFlags(serverArgs(found));
  for (const flag of flags) {
    const value = flag.env === null ? undefined : env[flag.env];
    if (value !== undefined && !values.has(flag.option)) setFromEnv(values, flag, value);
  }
  const remote =
    [modelName(rest), env['LLAMA_ARG_HF_REPO'], env['LLAMA_ARG_MODEL_URL']].find(Boolean) ?? null;
  return {
    engine: 'llama.cpp',
    model: (values.get('model') as string | undefined) ?? remote,
    host: (values.get('host') as string | undefined) ?? null,
    port: (values.get('port') as number | undefined) ?? null,
    options: { binary: found.path, ...ourOptions(values), args: redact(rest) },
    child: false,
    keyed: values.has('keyFile') || hasFlag(rest, '--api-key') || Boolean(env['LLAMA_API_KEY']),
    exposes: rest.filter((word) => riskyFlags.test(word)),
  };
}

function isServer(command: Unwrapped): boolean {
  const { program, args } = command;
  if (hasFlag(args, '--help', '-h', '--usage', '--version', '--list-devices')) return false;
  if (program === 'llama-server' || program === 'llama-box') return true;
  if (program === 'llama' && args[0] === 'serve') return true;
  // Builds under other names, and the name that the server had at first.
  const renamedBuild = /^(llama-server[-_.][\w.-]+|server)$/.test(program);
  return renamedBuild && hasFlag(args, '-m', '--model', '-hf', '--hf-repo');
}

function serverArgs(command: Unwrapped): readonly string[] {
  return command.program === 'llama' ? command.args.slice(1) : command.args;
}

type Values = Map<string, string | number | boolean>;

/** Known flags by option, the last one winning; the words that are left, in their order. */
function readFlags(args: readonly string[]): { values: Values; rest: string[] } {
  const values: Values = new Map();
  const rest: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    const flag = flags.find((entry) => entry.names.includes(word));
    const next = args[at + 1];
    if (!flag) rest.push(word);
    else if (flag.shape === 'switch') values.set(flag.option, true);
    else if (flag.shape === 'on-off-auto' && !/^(on|off|auto|0|1)$/.test(next ?? ''))
      values.set(flag.option, 'on');
    else {
      setValue(values, flag, next ?? '');
      at += 1;
    }
  }
  return { values, rest };
}

function setValue(values: Values, flag: Flag, text: string): void {
  const number = toNumber(text);
  if (flag.shape === 'number' && number !== null) values.set(flag.option, number);
  else if (flag.shape === 'layers') values.set(flag.option, number ?? text);
  else if (flag.shape === 'on-off-auto') values.set(flag.option, { '1': 'on', '0': 'off' }[text] ?? text);
  else if (flag.shape === 'text') values.set(flag.option, text);
}

function setFromEnv(values: Values, flag: Flag, text: string): void {
  if (flag.shape !== 'switch') setValue(values, flag, text);
  else if (/^(true|1|on|enabled)$/i.test(text)) values.set(flag.option, true);
}

/** What stands elsewhere in a fleet file than under `engine`. */
const elsewhere = new Set(['model', 'mmproj', 'host', 'port', 'metrics', 'keyFile']);

/** The server counts its context over all slots, berth per request. */
function ourOptions(values: Values): Record<string, unknown> {
  const options = Object.fromEntries([...values].filter(([option]) => !elsewhere.has(option)));
  const { context, slots } = options;
  if (typeof context !== 'number' || typeof slots !== 'number' || slots < 1) return options;
  return { ...options, context: Math.floor(context / slots) };
}

/** Models that are no file: a repository or an address; for a router the folder of its models. */
function modelName(rest: readonly string[]): string | null {
  const names = ['-hf', '-hfr', '--hf-repo', '-mu', '--model-url'];
  const at = rest.findIndex((word) => names.includes(word));
  return at < 0 || secretFlags.has(rest[at + 1] ?? '') ? null : (rest[at + 1] ?? null);
}
