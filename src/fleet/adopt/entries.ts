import { urlHost } from '../../domain/url-host.ts';
import { holdSecret } from '../../domain/command-line/redact.ts';
import { isAbsolute, resolve } from 'node:path/posix';
import { flagValue } from '../../domain/command-line/flags.ts';
import type { ProcessId } from '../../domain/instance.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { nameOf } from '../../domain/audit/server-words.ts';
import type { Foreign } from '../../targets/contract.ts';
import { engineOf } from '../../engines/registry.ts';
import type { ForeignContainer } from '../../targets/docker/foreign.ts';
import { asContainer } from './container-entry.ts';
import { keptEnv } from './kept-env.ts';
import { notTaken } from './not-taken.ts';
import { servedName } from './served-name.ts';
import { toldSize } from './told-size.ts';

/** What adopting one server writes into the fleet file. */
export interface Entry {
  readonly name: string;
  /** What it is, for people: "process 4711". */
  readonly from: string;
  /** Its process, where that is one of a machine. */
  readonly pid: number | null;
  readonly engine: string;
  readonly deployment: Readonly<Record<string, unknown>>;
  /** Of the model that it opens, under `models`. */
  readonly model: { readonly name: string; readonly source: string; readonly mmproj?: string } | null;
  /** Why it is only reached, where berth could run its like; null: that goes without saying. */
  readonly because: string | null;
  /** What the first change takes from it, each as a sentence without its end. */
  readonly goes?: readonly string[];
  /** How it is marked; null for one that is only reached. */
  readonly mark: {
    readonly target: 'process' | 'systemd' | 'docker' | 'kubernetes';
    readonly foreign: Foreign;
    readonly address: string;
  } | null;
}

export interface Refused {
  readonly server: string;
  readonly reason: string;
}

export type UnitPlace = 'own' | 'elsewhere' | 'transient';

export interface EntryContext {
  /** Names that the file has already. */
  readonly taken: ReadonlySet<string>;
  /** They run on the machine that berth runs on: what is only reached there has an address here. */
  readonly here: boolean;
  /** Folders that processes run in. */
  readonly folderOf: (process: ProcessId) => string | null;
  /** Variables that processes were started with; null where rights hide them. */
  readonly envOf: (process: ProcessId) => Readonly<Record<string, string>> | null;
  /** Where a server in a network of its own is reached from here. */
  readonly addressOf: (process: ProcessId) => string | null;
  /** In a container, whichever unit keeps that. */
  readonly contained: (process: ProcessId) => boolean;
  /** The container of Docker or podman that it is in; null for any other, and where no daemon tells of it. */
  readonly containerOf: (server: ScannedServer) => ForeignContainer | null;
  /** Where the file of a unit lies: berth writes beside those of people, not of packages; one that was made for a single run has none. */
  readonly unitFile: (unit: string, scope: 'system' | 'user') => UnitPlace;
  /** The file with the one key that it asks for, where this user may read that. */
  readonly keyFileOf: (server: ScannedServer) => string | null;
  /** Whether berth may write units of the system. */
  readonly system: boolean;
  /** Whose units of the user can be written. */
  readonly user: string | null;
}

/** Servers as entries of a fleet file, and those that cannot be, each with the reason. Pure. */
export function entriesOf(
  servers: readonly ScannedServer[],
  context: EntryContext,
): { entries: Entry[]; refused: Refused[] } {
  const taken = new Set(context.taken);
  const entries: Entry[] = [];
  const refused: Refused[] = [];
  for (const server of servers) {
    if (server.mark !== null) continue;
    const name = freeName(server, taken);
    const made = entryOf(server, name, context);
    if (typeof made === 'string') refused.push({ server: nameOf(server), reason: made });
    else {
      taken.add(name);
      entries.push(made);
    }
  }
  return { entries, refused };
}

/** An entry, or why there is none. */
function entryOf(server: ScannedServer, name: string, context: EntryContext): Entry | string {
  const kept = inContainer(server, name, context);
  if (kept && 'mark' in kept) return kept;
  const because = kept?.because ?? null;
  const endpoint =
    server.endpoints.find((one) => one.here && one.port === server.wantedPort) ??
    server.endpoints.find((one) => one.here);
  if (!endpoint) return elsewhere(server, { name, because }, context);
  const address = ['0.0.0.0', '::'].includes(endpoint.address) ? '127.0.0.1' : endpoint.address;
  const where = { name, address, port: endpoint.port, because };
  if (server.keyed === true) return withKey(server, where, context);
  const { kind } = server.owner;
  const engine = server.engine === 'unknown' ? null : engineOf(server.engine);
  const contained = kind === 'container' || kind === 'pod' || context.contained(server.process);
  if (contained || !engine?.launch || !engine.options) return reached(server, where, context);
  if (Object.keys(server.options).length === 0)
    return reached(server, { ...where, because: noStart }, context);
  if (engine.ownProgram && !context.here)
    return "it is berth's own engine, and berth installs nothing on another machine";
  const { env, lost } = envOf(server, context);
  const options = {
    ...optionsOf(server, context.folderOf(server.process)),
    ...(Object.keys(env).length > 0 ? { env } : {}),
  };
  if (holdSecret(options)) return 'its command line holds a secret, which has no place in a fleet file';
  const parsed = engine.options.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `its command line says what a fleet file cannot: ${issue?.path.join('.')}: ${issue?.message}`;
  }
  const how = markOf(server, context);
  if (typeof how === 'string') return how;
  if ('because' in how) return reached(server, { ...where, because: how.because }, context);
  return {
    name,
    ...from(server),
    because: null,
    goes: [
      ...lost.map((variable) => `its variable ${variable}, which has no place in a fleet file`),
      ...(context.here && address !== endpoint.address
        ? [
            `its port ${endpoint.port} at ${endpoint.address}: berth has its engines listen on loopback, and the gateway is the door`,
          ]
        : []),
    ],
    model: modelOf(server, name, context),
    deployment: {
      ...(server.model === null ? {} : { model: name }),
      port: endpoint.port,
      ...(server.gpus.length > 0 ? { gpus: server.gpus.length } : {}),
      engine: options,
      target: how.options,
    },
    mark: { target: how.target, foreign: how.foreign, address },
  };
}

const noStart = 'it is known by its answers alone, and its command line does not tell how it was started';

function envOf(server: ScannedServer, { envOf: variables }: EntryContext): ReturnType<typeof keptEnv> {
  return keptEnv(variables(server.process), {
    engine: server.engine,
    unit: ['system-unit', 'user-unit'].includes(server.owner.kind),
    gpus: server.gpus.length > 0,
  });
}

/** One in a container of this machine that berth could make anew as it is; null for any other server. */
function inContainer(
  server: ScannedServer,
  name: string,
  context: EntryContext,
): Entry | { readonly because: string } | null {
  const container = context.containerOf(server);
  const engine = server.engine === 'unknown' ? null : engineOf(server.engine);
  if (!container || server.keyed === true || !engine?.launch || !engine.options) return null;
  if (server.model === null) return { because: 'what it serves is not known' };
  const folder = context.folderOf(server.process) ?? '/';
  const { binary: _binary, ...options } = optionsOf(server, null);
  const resolved = { ...server, model: sourceOf(server.model, folder) };
  const made = asContainer(resolved, container);
  if ('because' in made) return made;
  const { env, target, port, address, outside } = made;
  const stated = { ...options, ...(Object.keys(env).length > 0 ? { env } : {}) };
  if (holdSecret(stated)) return { because: 'its command line holds a secret' };
  const issue = engine.options.safeParse(stated).error?.issues[0];
  if (issue) return { because: `a fleet file cannot say ${issue.path.join('.')}: ${issue.message}` };
  const { id, name: called, where } = container;
  return {
    name,
    ...from(server),
    because: null,
    model: modelOf(server, name, context, outside),
    deployment: {
      model: name,
      port,
      ...(server.gpus.length > 0 ? { gpus: server.gpus.length } : {}),
      engine: stated,
      target,
    },
    mark: {
      target: 'docker',
      foreign: { process: server.process, unit: null, container: { id, name: called, where } },
      address,
    },
  };
}

function from({ process: { pid }, engine }: ScannedServer): Pick<Entry, 'from' | 'pid' | 'engine'> {
  return { from: `process ${pid}`, pid, engine };
}

/** In a pod or container it may be reached all the same, by the address of that. */
function elsewhere(
  server: ScannedServer,
  { name, because }: { name: string; because: string | null },
  context: EntryContext,
): Entry | string {
  const inside = ['container', 'pod'].includes(server.owner.kind) ? server.endpoints[0] : undefined;
  const address = inside ? context.addressOf(server.process) : null;
  if (!inside || address === null) return 'it listens on no port of this machine';
  return reached(server, { name, address, port: inside.port, because }, context);
}

/** Its key has no place in a fleet file, and the name of the file that holds it has one. */
function withKey(server: ScannedServer, where: Where, context: EntryContext): Entry | string {
  const file = context.keyFileOf(server);
  if (file === null)
    return 'it asks for a key that berth does not know; give it the key by a file that you may read (--api-key-file of llama-server), or stop it and have berth run it (a deployment with "ownKey")';
  const because = `it asks for a key, which lies in ${file}`;
  return reached(server, { ...where, because, key: `\${file:${file}}` }, context);
}

interface Where {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly because?: string | null;
  readonly key?: string;
}

/** One that berth does not start: the gateway reaches it, and nothing of it is changed. */
function reached(
  server: ScannedServer,
  { name, address, port, because = null, key }: Where,
  context: EntryContext,
): Entry | string {
  if (!context.here)
    return `${because === null ? '' : `${because}; `}berth would only reach it, and it has no address here; write it into the file yourself, with the address that it has from here (\`engine: {kind: openai, url: …}\`)`;
  const [served] = server.served;
  return {
    name,
    ...from(server),
    because,
    model: null,
    deployment: {
      engine: {
        kind: 'openai',
        url: `http://${urlHost(address)}:${port}`,
        ...(key === undefined ? {} : { key }),
        ...(served === undefined ? {} : { servedModel: served }),
      },
    },
    mark: null,
  };
}

/** What it tells of itself counts more than its command line, which may leave it to the server. */
export function optionsOf(
  server: ScannedServer,
  folder: string | null,
): Record<string, unknown> & { kind: string } {
  const { args, binary, ...stated } = server.options;
  const program =
    typeof binary === 'string' && binary.includes('/') ? resolve(folder ?? '/', binary) : binary;
  return {
    kind: server.engine,
    ...(program === undefined ? {} : { binary: program }),
    ...servedName(server.engine, stated, server.served[0] ?? server.model),
    ...stated,
    ...toldSize(server),
    ...(Array.isArray(args) && args.length > 0 ? { args } : {}),
  };
}

function modelOf(
  server: ScannedServer,
  name: string,
  context: EntryContext,
  outside: (path: string) => string = (path) => path,
): Entry['model'] {
  if (server.model === null) return null;
  const folder = context.folderOf(server.process) ?? '/';
  const mmproj = flagValue(server.command, '--mmproj', '-mm');
  return {
    name,
    source: outside(sourceOf(server.model, folder)),
    ...(mmproj === null ? {} : { mmproj: outside(resolve(folder, mmproj)) }),
  };
}

/** A path is a path; "OWNER/NAME" without a folder in front is a repository of the hub. */
function sourceOf(model: string, folder: string): string {
  if (isAbsolute(model) || /^[a-z0-9+]+:\/\//i.test(model)) return model;
  const repository = /^[\w.-]+\/[\w.-]+(:[\w.-]+)?$/.test(model) && !/\.gguf$/i.test(model);
  return repository ? `hf://${model}` : resolve(folder, model);
}

interface How {
  readonly target: 'process' | 'systemd';
  readonly options: Record<string, string>;
  readonly foreign: Foreign;
}

/** A unit goes on with the rights that it has: a later change of something else must not take them. */
function markOf(server: ScannedServer, context: EntryContext): How | { readonly because: string } | string {
  const { owner, process } = server;
  const unit = owner.name.replace(/\.service$/, '');
  if (owner.kind === 'system-unit' || owner.kind === 'user-unit') {
    if (unit.includes('@'))
      return { because: `its unit ${unit} is made from a template, which several share` };
    const scope = owner.kind === 'user-unit' ? 'user' : 'system';
    const place = context.unitFile(unit, scope);
    if (place === 'transient')
      return { target: 'process', options: { kind: 'process' }, foreign: { process, unit: null } };
    if (server.shared === true) return { because: `its unit ${unit} keeps something else too` };
    if (place === 'elsewhere')
      return `its unit ${unit} lies where a package puts its own; copy it to ${scope === 'user' ? '~/.config/systemd/user' : '/etc/systemd/system'}, then have systemd read it ("daemon-reload")`;
  }
  switch (owner.kind) {
    case 'system-unit':
      return context.system
        ? {
            target: 'systemd',
            options: {
              kind: 'systemd',
              unit,
              hardening: 'off',
              ...(owner.user === null ? {} : { user: owner.user }),
            },
            foreign: { process, unit: { name: unit, scope: 'system' } },
          }
        : 'its unit belongs to the system; run this as root';
    case 'user-unit':
      return owner.user === context.user && !context.system
        ? {
            target: 'systemd',
            options: { kind: 'systemd', unit, hardening: 'off' },
            foreign: { process, unit: { name: unit, scope: 'user' } },
          }
        : `its unit is one of the user ${owner.user}; run this as that user`;
    case 'supervisor':
      return { because: `${owner.name} keeps it, and would start it again` };
    case 'berth':
    case 'container':
    case 'pod':
    case 'session':
    case 'unknown':
      return { target: 'process', options: { kind: 'process' }, foreign: { process, unit: null } };
  }
}

/** The name that it serves, else its model's, as a name of a fleet file; with a number where it is taken. */
function freeName({ served, model, engine }: ScannedServer, taken: ReadonlySet<string>): string {
  const [first] = served;
  const text = first !== undefined && !first.startsWith('/') ? first : (model ?? engine);
  const base =
    text
      .slice(text.lastIndexOf('/') + 1)
      .replace(/\.gguf$/i, '')
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]+/g, '-')
      .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
      .slice(0, 50)
      .replace(/[^a-z0-9]+$/, '') || 'model';
  return notTaken(base, taken);
}
