import { isAbsolute, join } from 'node:path';
import { flagValue } from '../../domain/command-line/flags.ts';
import { secretFlagsOf } from '../../domain/command-line/redact.ts';
import { hubName } from '../../domain/model-source.ts';
import { shellCommands } from '../../domain/command-line/shell-words.ts';
import { leadingAssignments } from '../../domain/command-line/wrappers.ts';
import { engineOf, recognize } from '../../engines/registry.ts';

/** A port that no command line names: it stands for the one that is filled in. */
const standIn = '65535';
const portMark = '${PORT}';

/** What a command line asks for, in the terms of a fleet file. */
export interface ReadCommand {
  readonly engine: Record<string, unknown>;
  readonly model: string | null;
  readonly mmproj: string | null;
  /** Variables that the command line sets itself. */
  readonly env: Readonly<Record<string, string>>;
  /** Pinned by the command line; null where it is filled in. */
  readonly port: number | null;
  /** What was dropped on the way, as reasons. */
  readonly dropped: readonly string[];
}

/**
 * Reads a command with `${PORT}` in it through the engines that know it: one that berth starts itself becomes its options, any other
 * program stays a command. It has no comments. Relative paths count from `folder`. Null when there is no command in the text.
 */
export function readCommand(text: string, folder: string): ReadCommand | null {
  const [words] = shellCommands(oneLine(text));
  const { kept, dropped } = withoutSecrets(words ?? []);
  const { env, words: command } = leadingAssignments(kept);
  const [program] = command;
  if (program === undefined) return null;
  const argv = [programAt(program, folder), ...command.slice(1)];
  const read =
    asEngine(argv, folder, dropped) ?? asCommand(argv, folder, [...dropped, ...whyNoEngine(argv, folder)]);
  return { ...read, env };
}

/** Without the lines that begin with "#": before macros are filled in, since one of several lines may be named in such a line. */
export function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .join('\n');
}

/** Line ends mean nothing here. */
function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim().replace(/\\$/, ''))
    .join(' ');
}

function withoutSecrets(words: readonly string[]): { kept: string[]; dropped: string[] } {
  // A variable in place of the secret is no better: nothing fills it in here.
  const flags = secretFlagsOf(words.map((word) => word.replace(/\$\{env\.\w+\}/g, 'variable')));
  const kept: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    if (!flags.includes(word.split('=')[0] ?? '')) kept.push(word);
    else if (!word.includes('=')) at += 1;
  }
  return { kept, dropped: flags.map((flag) => `${flag} holds a secret and is not copied.`) };
}

function programAt(program: string, folder: string): string {
  return program.includes('/') ? absolute(program, folder) : program;
}

function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function recognized(argv: readonly string[], folder: string): ReturnType<typeof recognize> {
  return recognize({
    pid: 0,
    ppid: 0,
    exe: null,
    env: null,
    cwd: folder,
    argv: argv.map((word) => word.replaceAll(portMark, standIn)),
  });
}

function whyNoEngine(argv: readonly string[], folder: string): string[] {
  const found = recognized(argv, folder);
  if (!found || !engineOf(found.engine).options) return [];
  return [`It stays a command: the options of ${found.engine} cannot say all of it.`];
}

/** Null unless it is an engine that berth starts itself, with a model that a fleet can name, and it takes what the command line says. */
function asEngine(
  argv: readonly string[],
  folder: string,
  dropped: readonly string[],
): Omit<ReadCommand, 'env'> | null {
  const found = recognized(argv, folder);
  if (!found || found.child || found.model === null) return null;
  const { model } = found;
  // One that only a variable names is not to be told from what is beside it.
  if (hubName(model) === null && !argv.some((word) => word.includes(model))) return null;
  const schema = engineOf(found.engine).options;
  const named = namedModel(argv, model, folder);
  if (!schema || named === null || found.options['binary'] !== argv[0]) return null;
  const { mmproj, ...options } = { mmproj: flagValue(argv, '--mmproj', '-mm'), ...found.options };
  const usable = Object.fromEntries(
    Object.entries(options).filter(
      ([name, value]) =>
        !(Array.isArray(value) && value.length === 0) && !(name === 'binary' && value === 'llama-server'),
    ),
  );
  const refused = schema.safeParse({ kind: found.engine, ...usable }).error?.issues ?? [];
  const faulty = new Set(refused.map((issue) => String(issue.path[0])));
  const engine = Object.fromEntries(Object.entries(usable).filter(([name]) => !faulty.has(name)));
  if (faulty.has('args')) return null;
  return {
    engine: { kind: found.engine, ...engine },
    model: named.source,
    mmproj: mmproj === null ? null : absolute(mmproj, folder),
    port: found.port === null || String(found.port) === standIn ? null : found.port,
    dropped: [
      ...dropped,
      ...named.notes,
      ...relativePaths(engine).map(
        (word) => `Engines run in another folder here: if ${word} is a file, write ${join(folder, word)}.`,
      ),
      ...[...faulty].map((name) => `${name} as it stands there is not taken: it is left out.`),
      ...('context' in engine ? [] : ['It names no context: berth takes 4096 tokens per request.']),
    ],
  };
}

/** Of the arguments that berth passes on as they are: what looks like a path from where the program was started. */
function relativePaths({ args }: Readonly<Record<string, unknown>>): string[] {
  const words = Array.isArray(args) ? args.filter((word) => typeof word === 'string') : [];
  return words.filter((word) => /^(?![-/{])(?!\w+:\/\/)\S*(?:\/|\.[a-z]\w{0,7}$)/i.test(word));
}

const hubFlags = ['-hf', '-hfr', '--hf-repo'];

/** The model as the source of a fleet file: a GGUF file, one at an address, or one of the Hub. Null for others. */
function namedModel(
  argv: readonly string[],
  model: string,
  folder: string,
): { source: string; notes: string[] } | null {
  if (hubName(model) !== null) return { source: model, notes: [] };
  if (flagValue(argv, ...hubFlags) === model) {
    const [, repo, quant] = /^([\w.-]+\/[\w.-]+)(?::([\w.-]+))?$/.exec(model) ?? [];
    if (repo === undefined) return null;
    if (quant !== undefined) return { source: `hf://${model}`, notes: [] };
    const notes = ['It names no quantization: the source says Q4_K_M, which llama-server looks for first.'];
    return { source: `hf://${repo}:Q4_K_M`, notes };
  }
  if (!/\.gguf$/i.test(model)) return null;
  return { source: /^https?:/.test(model) ? model : absolute(model, folder), notes: [] };
}

/** It runs where it ran: any of its words may be a path from there. */
function asCommand(
  argv: readonly string[],
  folder: string,
  dropped: readonly string[],
): Omit<ReadCommand, 'env'> {
  const marked = argv.some((word) => word.includes(portMark));
  const at = argv.indexOf('--port');
  const port = marked || at < 0 ? Number.NaN : Number(argv[at + 1]);
  const pinned = Number.isInteger(port) && port > 0;
  const command = argv.map((word, i) =>
    pinned && i === at + 1 ? '{port}' : word.replaceAll(portMark, '{port}'),
  );
  return {
    engine: { kind: 'command', command, workdir: folder },
    model: null,
    mmproj: null,
    port: pinned ? port : null,
    dropped: [
      ...dropped,
      'Berth does not know what it needs: without "memory" it runs alone among the models on demand.',
    ],
  };
}
