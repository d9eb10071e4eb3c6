import type { DefinedServer, ObservedContainer } from '../../domain/audit/observation.ts';
import { baseName } from '../../domain/command-line/unwrap.ts';
import { definedServer } from './defined-server.ts';
import { publishedAs } from './published-as.ts';

/** Options of `run` that take no value; all others take the next word, or have it behind "=". */
const switches =
  /^(-[ditPq]+|--(detach|interactive|tty|rm|init|privileged|read-only|replace|publish-all|no-healthcheck|oom-kill-disable|no-hosts|no-hostname|quiet|rmi|tls-verify|env-host|http-proxy|sig-proxy|disable-content-trust))$/;

interface Run {
  readonly image: string | null;
  readonly args: readonly string[];
  readonly options: readonly (readonly [name: string, value: string])[];
}

/**
 * The server of a unit that starts a container: `docker run [OPTIONS] IMAGE [ARGS]`, at the port of this machine under which it is
 * published, with the name that the container is given. Null for every other command, and for images that run no model server.
 */
export function containerRun(
  argv: readonly string[],
  unitEnv: Readonly<Record<string, string>>,
): { starts: DefinedServer; container: string | null } | null {
  const words = argv.slice(argv[0] !== undefined && baseName(argv[0]) === 'sudo' ? 1 : 0);
  if (!/^(docker|podman|nerdctl)$/.test(baseName(words[0] ?? ''))) return null;
  const at = words.findIndex((word, place) => place > 0 && /^(run|create)$/.test(word));
  if (at < 0) return null;
  const { image, args, options } = readRun(words.slice(at + 1));
  if (image === null) return null;
  const entrypoint = valueOf(options, '--entrypoint');
  const found = definedServer({
    image,
    command: entrypoint ? [entrypoint] : [],
    args,
    env: environmentOf(options, unitEnv),
    partialEnv: valueOf(options, '--env-file') !== undefined,
  });
  const network = valueOf(options, '--network') ?? valueOf(options, '--net');
  if (!found) return null;
  const container = valueOf(options, '--name') ?? null;
  if (network === 'host') return { starts: found, container };
  const published = options.flatMap(([name, value]) => (/^(-p|--publish)$/.test(name) ? [value] : []));
  return { starts: { ...found, ...publishedAs(published, found.port) }, container };
}

/** The container that `docker start -a NAME` starts, by its name or the beginning of its ID; null for every other command. */
export function startedContainer(
  argv: readonly string[],
): { tool: ObservedContainer['tool']; container: string } | null {
  const [program = '', ...words] = argv.slice(argv[0] !== undefined && baseName(argv[0]) === 'sudo' ? 1 : 0);
  const tool = baseName(program);
  if (tool !== 'docker' && tool !== 'podman') return null;
  const at = words.indexOf('start');
  const before = words.slice(0, Math.max(at, 0)).filter((word) => word !== 'container');
  // An option, or the value of one.
  const options = before.every((word, place) =>
    [word, before[place - 1] ?? ''].some((one) => one.startsWith('-')),
  );
  if (at < 0 || !options) return null;
  const rest = words.slice(at + 1);
  const names = rest.filter(
    (word, place) =>
      !word.startsWith('-') && !/^--(detach-keys|checkpoint(-dir)?)$/.test(rest[place - 1] ?? ''),
  );
  return names.length === 1 ? { tool, container: names[0] ?? '' } : null;
}

function readRun(words: readonly string[]): Run {
  const options: [string, string][] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) return { image: word, args: words.slice(at + 1), options };
    const equals = word.indexOf('=');
    if (equals > 0) options.push([word.slice(0, equals), word.slice(equals + 1)]);
    else if (/^-[pev]./.test(word)) options.push([word.slice(0, 2), word.slice(2)]);
    else if (!switches.test(word)) {
      options.push([word, words[at + 1] ?? '']);
      at += 1;
    }
  }
  return { image: null, args: [], options };
}

function valueOf(options: Run['options'], name: string): string | undefined {
  return options.findLast(([one]) => one === name)?.[1];
}

/** "-e NAME=VALUE", and "-e NAME" for one that the unit has. */
function environmentOf(
  options: Run['options'],
  unitEnv: Readonly<Record<string, string>>,
): Record<string, string> {
  const given = options.flatMap(([name, value]) => (/^(-e|--env)$/.test(name) ? [value] : []));
  return Object.fromEntries(
    given.flatMap((one) => {
      const at = one.indexOf('=');
      const value = at < 0 ? unitEnv[one] : one.slice(at + 1);
      return value === undefined ? [] : [[at < 0 ? one : one.slice(0, at), value] as const];
    }),
  );
}
