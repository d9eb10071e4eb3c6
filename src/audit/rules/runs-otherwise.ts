import { flagValue } from '../../domain/command-line/flags.ts';
import { quoteWord } from '../../domain/command-line/quote-word.ts';
import type { ObservedUnit } from '../../domain/audit/observation.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { nameOf } from '../../domain/audit/server-words.ts';
import { isLoopback } from '../../domain/loopback.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const runsOtherwise: Rule = {
  id: 'runs-otherwise',
  severity: 'warning',
  finds: 'a server that was started before its unit was changed',
  why: 'What runs is not what the file says; the next start, maybe at night, brings the change.',
  find: ({ hosts }) =>
    perHost(hosts, ({ units, servers }) =>
      units.flatMap((unit) => {
        const kind = unit.scope === 'user' ? 'user-unit' : 'system-unit';
        const server = servers.find((one) => one.owner.kind === kind && one.owner.name === unit.name);
        return server ? compare(unit, server) : [];
      }),
    ),
};

function compare(unit: ObservedUnit, server: ScannedServer): Found[] {
  const { model, port, options } = unit.starts;
  const hosts = addresses(unit, server);
  const file = { model, port, ...options, ...(hosts ? { host: hosts.file } : {}) };
  const live = {
    model: server.model,
    port: server.wantedPort,
    ...server.options,
    ...(hosts ? { host: hosts.live } : {}),
  };
  // Of a container its file says the port of this machine, its command line the one inside.
  const passed = new Set([
    'binary',
    ...(unit.madeBy === 'quadlet' || unit.madeBy === 'container-run' ? ['port'] : []),
  ]);
  // What the file leaves to a variable is not known here.
  const open = unit.starts.command.some((word) => /[$%]/.test(word));
  // Of another user's process the variables are hidden, and with them what they set.
  const known =
    server.netns === null
      ? Object.keys(live).filter((name) => Reflect.get(live, name) !== null)
      : [...Object.keys(file), ...Object.keys(live)];
  const fields = [...new Set(known)].filter(
    (name) =>
      !passed.has(name) &&
      text(Reflect.get(file, name)) !== text(Reflect.get(live, name)) &&
      !(unit.inherits && text(Reflect.get(file, name)) === nothing),
  );
  if (open || fields.length === 0 || server.engine !== unit.starts.engine) return [];
  return [
    {
      object: unit.name,
      message: `It runs otherwise than its file says: ${fields.join(', ')}.`,
      evidence: [
        nameOf(server),
        ...fields.map(
          (name) =>
            `${name}: runs with ${text(Reflect.get(live, name))}, the file says ${text(Reflect.get(file, name))}`,
        ),
      ],
      cure: 'Restart it when its clients can wait, or undo the change.',
      commands: [`systemctl ${unit.scope === 'user' ? '--user ' : ''}restart ${quoteWord(unit.name)}`],
    },
  ];
}

const nothing = 'nothing';

function text(value: unknown): string {
  return value === undefined || value === null
    ? nothing
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

/**
 * Its address, where file and server differ in it: by their words, or where the file opens to all a server that only this machine
 * reaches. What names none, or a name in a container, says nothing.
 */
function addresses(
  { starts, madeBy }: ObservedUnit,
  server: ScannedServer,
): { file: string; live: string } | null {
  const inside = madeBy === 'quadlet' || madeBy === 'container-run';
  if (inside || starts.host === null) return null;
  const said = flagValue(server.command, '--host');
  if (said !== null) return plain(said) === plain(starts.host) ? null : { file: starts.host, live: said };
  const [first] = server.endpoints;
  const opened = /^(0\.0\.0\.0|::|\*)$/.test(starts.host);
  const own = first !== undefined && server.endpoints.every(({ address }) => isLoopback(address));
  return opened && own ? { file: starts.host, live: first.address } : null;
}

function plain(host: string): string {
  return isLoopback(host) ? 'loopback' : host;
}
