import { z } from 'zod';
import { flagName, isFlagWord, readFlags, toValue } from '../../domain/command-line/flag-rows.ts';
import { firstOperand, hasFlag } from '../../domain/command-line/flags.ts';
import { redact } from '../../domain/command-line/redact.ts';
import { unwrap } from '../../domain/command-line/unwrap.ts';
import type { Unwrapped } from '../../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../../domain/process-facts.ts';
import { flags, otherSwitches, quietFlag, quietPaths } from './flags.ts';
import { vllmDrift } from './versions.ts';

/** Its own server, that of NVIDIA's containers, the plain one of its examples, each by its file, and the one that speaks TGIS, too. */
const apiServers =
  /(^|\/)vllm(_nvext)?[./]entrypoints[./](openai[./])?api_server(\.py)?$|^vllm_tgis_adapter$/;
const modules = ['vllm.entrypoints.cli.main', 'vllm', 'vllm-omni'];

/** The inverse of `launch`, for `vllm serve` and for the module run by Python. */
export function recognize(facts: ProcessFacts): Recognized | null {
  // Its workers rename themselves: "VLLM::EngineCore", "VLLM::Worker_TP0"; Ray has names of its own for them.
  if (/^(VLLM::|ray::(RayWorker|.*vllm))/i.test(facts.argv[0] ?? '')) return { ...nothing, child: true };
  const found = unwrap(facts.argv).find(isServer);
  return found ? server(found, { ...facts.env, ...found.env }, programOf(found.path, facts.argv)) : null;
}

const nothing = { engine: 'vllm', model: null, host: null, port: null, options: {} } as const;

function isServer({ program, path, args }: Unwrapped): boolean {
  if (hasFlag(args, '--help', '-h')) return false;
  return apiServers.test(path) || (modules.includes(program) && args[0] === 'serve');
}

/** A module of Python is no program: that lies beside the Python that runs it, and else on PATH. */
function programOf(path: string, argv: readonly string[]): string {
  const own = path === 'vllm' || /(^|\/)vllm[./]entrypoints[./]/.test(path);
  if (!own) return path;
  const python = argv.findLast((word) => /(^|\/)(python[\d.]*t?|pypy3?)$/.test(word)) ?? '';
  return `${python.slice(0, python.lastIndexOf('/') + 1)}vllm`;
}

function server(found: Unwrapped, env: Readonly<Record<string, string>>, binary: string): Recognized {
  const words = apiServers.test(found.path) ? found.args : found.args.slice(1);
  const { values, rest } = readFlags(withoutKeyFile(words), readFrom, {
    ...vllmDrift.style,
    abbreviated: true,
  });
  const { model: named, host, port, quietPaths: _, ...stated } = Object.fromEntries(values);
  const unknown = isGiven(words, '--config');
  const { model, others } = takeModel(rest, named === undefined && !unknown);
  return {
    engine: 'vllm',
    model: text(named) ?? model,
    host: text(host),
    port: typeof port === 'number' ? port : null,
    options: { binary, ...ourOptions(stated), args: redact(others) },
    child: false,
    // What a configuration file holds does not show.
    ...(unknown ? {} : { keyed: isGiven(others, '--api-key') || Boolean(env['VLLM_API_KEY']) }),
  };
}

/** What a file of options holds nobody else says: its name stays among the words, but for the one that berth writes for a key. */
const readFrom = flags.filter(({ option }) => option !== 'config');

function withoutKeyFile(words: readonly string[]): readonly string[] {
  const at = words.findIndex((word, place) => {
    if (word !== '--config') return false;
    const [flag, value] = words.slice(Math.max(0, place - 2), place);
    // Versions that cannot be told to be quiet have it right behind the port.
    return (
      (flag === quietFlag && value === quietPaths) ||
      (flag === '--port' && /[/.-]key$/.test(words[place + 1] ?? ''))
    );
  });
  return at < 0 ? words : words.toSpliced(at, 2);
}

function isGiven(words: readonly string[], flag: string): boolean {
  return words.some((word) => isFlagWord(word) && flagName(word, vllmDrift.style) === flag);
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/**
 * The model stands by itself, first as a rule. Where it is sure to be there and seems to be the value of a flag that nobody here knows,
 * that flag has none.
 */
function takeModel(
  rest: readonly string[],
  isSure: boolean,
): { model: string | null; others: readonly string[] } {
  const [first] = rest;
  const byItself = first !== undefined && !isFlagWord(first) ? first : firstOperand(rest, switchesIn(rest));
  const model = byItself ?? (isSure ? behindUnknown(rest) : null);
  if (model === null) return { model, others: rest };
  const at = rest.indexOf(model);
  return { model, others: [...rest.slice(0, at), ...rest.slice(at + 1)] };
}

function behindUnknown(rest: readonly string[]): string | null {
  const found = rest.find(
    (word, at) =>
      repository.test(word) &&
      isFlagWord(rest[at - 1] ?? '') &&
      !valued.test(flagName(rest[at - 1] ?? '', vllmDrift.style)),
  );
  return found ?? null;
}

const repository = /^[\w.-]+\/[\w.-]+(:[\w.-]+)?$/;
/** What they are given may look like a repository, too. */
const valued =
  /(path|dir|file|config|tokenizer|model|plugin|revision|name|key|cls|middleware|prefix|url|template)s?$/;

const yesOrNo =
  /^--(no|enable|disable|use|skip|return|allow|trust|exclude|calculate|interleave|fully)[-_]|^--[\w-]+[-_](only|lb|prefill)$|^-O./;

/** Flags that say yes or no say so by their names, as far as berth does not know them; "-O3" has its value in itself. */
function switchesIn(rest: readonly string[]): string[] {
  return [...otherSwitches, ...rest.filter((word) => yesOrNo.test(word))];
}

function ourOptions(stated: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { servedModels, enableLora: _, shutdownTimeout, lora, ...options } = stated;
  const [servedModel, ...aliases] = Array.isArray(servedModels) ? (servedModels as string[]) : [];
  return {
    ...(servedModel === undefined ? {} : { servedModel, aliases }),
    ...options,
    ...(Array.isArray(lora) ? { lora: (lora as string[]).map(adapterOf) } : {}),
    ...(typeof shutdownTimeout === 'number' ? { shutdownTimeout: `${shutdownTimeout}s` } : {}),
  };
}

const Adapter = z.object({ name: z.string(), path: z.string() });

/** An adapter may be told as JSON, too. */
function adapterOf(word: string): string {
  const { data } = Adapter.safeParse(toValue('json', [word]));
  return data ? `${data.name}=${data.path}` : word;
}
