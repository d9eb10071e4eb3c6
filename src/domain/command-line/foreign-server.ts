import type { ProcessFacts, Recognized } from '../process-facts.ts';
import { firstOperand, flagNumber, flagValue, hasFlag, parseHostPort, toNumber } from './flags.ts';
import { unwrap } from './unwrap.ts';
import type { Unwrapped } from './unwrap.ts';

/** How a server that berth knows and does not start names what it serves, and where: flags, and variables that mean the same. */
export interface ForeignServer {
  readonly engine: string;
  /** The words behind the command that serves; null where this is no such command. */
  readonly argsOf: (command: Unwrapped) => readonly string[] | null;
  readonly model: readonly string[];
  /** The model stands behind the command without a flag, first as a rule. */
  readonly modelFirst?: true;
  readonly host: readonly string[];
  readonly port: readonly string[];
  /** Flags that say both: "0.0.0.0:8080". */
  readonly listen?: readonly string[];
  /** Of one with several ports: the one for clients, where its command line leaves it out. */
  readonly usualPort?: number;
  readonly key: readonly string[];
  /** Empty names: no variable. */
  readonly env?: {
    readonly model: string;
    readonly host: string;
    readonly port: string;
    readonly key?: string;
  };
  /** Options in berth's words, by their flags; all are numbers. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  /** It computes for another server and has no clients of its own. */
  readonly child?: true;
}

/** Flags that say yes or no, as their names tell. */
const switches = /^--(no|enable|disable|use|skip|trust|allow)[-_]|^--(debug|verbose|quiet|metrics)$/;

export function recognizeForeign(facts: ProcessFacts, server: ForeignServer): Recognized | null {
  for (const command of unwrap(facts.argv)) {
    const args = server.argsOf(command);
    if (args === null || hasFlag(args, '--help', '-h', '--version')) continue;
    const env: Readonly<Record<string, string | undefined>> = { ...facts.env, ...command.env };
    const standing = server.modelFirst
      ? firstOperand(
          args,
          args.filter((word) => switches.test(word)),
        )
      : null;
    const numbers = Object.entries(server.options).flatMap(([option, flags]) => {
      const value = flagNumber(args, ...flags);
      return value === null ? [] : [[option, value] as const];
    });
    const listens = parseHostPort(firstOf(args, server.listen ?? []));
    const port = flagNumber(args, ...server.port) ?? listens.port ?? toNumber(fromEnv(env, server.env?.port));
    return {
      engine: server.engine,
      model: firstOf(args, server.model) ?? standing ?? fromEnv(env, server.env?.model),
      host: flagValue(args, ...server.host) ?? listens.host ?? fromEnv(env, server.env?.host),
      port: port ?? server.usualPort ?? null,
      options: Object.fromEntries(numbers),
      child: server.child ?? false,
      ...(server.child
        ? {}
        : { keyed: hasFlag(args, ...server.key) || Boolean(fromEnv(env, server.env?.key)) }),
    };
  }
  return null;
}

/** The flag that stands first in the list, where several are given. */
function firstOf(args: readonly string[], flags: readonly string[]): string | null {
  return flags.map((flag) => flagValue(args, flag)).find((value) => value !== null) ?? null;
}

function fromEnv(env: Readonly<Record<string, string | undefined>>, name: string | undefined): string | null {
  return (name ? env[name] : undefined) ?? null;
}
