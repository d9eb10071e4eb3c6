import { secretVariable } from '../../domain/audit/secret-variable.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { readCommand, withoutComments } from './command-line.ts';
import type { ReadCommand } from './command-line.ts';
import { leaveUnknown, leftovers, namer, variableName, textAt } from './conversion.ts';
import type { Conversion, ConvertOptions, Leave } from './conversion.ts';
import { fillMacros, readMacros, variablesIn } from './llama-swap-macros.ts';
import type { Macros } from './llama-swap-macros.ts';
import { setsOf, sharing } from './llama-swap-sets.ts';

const fileKeys = [
  'healthCheckTimeout',
  'globalTTL',
  'macros',
  'models',
  'matrix',
  'groups',
  'routing',
  'peers',
  'apiKeys',
];
const fileReasons = {
  startPort: 'Berth takes ports from 18400 up; "ports" of a host changes that.',
  logLevel: 'Berth logs to stderr; "--verbose" logs more.',
  logToStdout: 'Output of engines is in files: "berth logs NAME".',
  hooks: 'Nothing is preloaded: without "load: on-demand" a deployment always runs.',
  includeAliasesInList: 'Aliases are always listed.',
  sendLoadingState: 'No text about loading is put into answers.',
  captureBuffer: 'Requests are not captured unless asked for.',
};
const modelKeys = [
  'cmd',
  'macros',
  'env',
  'proxy',
  'checkEndpoint',
  'ttl',
  'useModelName',
  'aliases',
  'concurrencyLimit',
];
const modelReasons = {
  filters: 'Requests reach the engine as the client sent them.',
  cmdStop: 'Berth ends an engine by a signal (stopSignal).',
  unlisted: 'All models are listed.',
  name: 'Only for display.',
  description: 'Only for display.',
  metadata: 'Only for display.',
  timeouts: 'Times are set once for the gateway: gateway.limits.',
  sendLoadingState: 'No text about loading is put into answers.',
};

/** A fleet like the one that llama-swap's file describes. */
export function fromLlamaSwap(root: Located, options: ConvertOptions): Conversion {
  const { left, leave } = leftovers();
  const context = contextOf(root, options, leave);
  leaveUnknown(root, fileKeys, fileReasons, leave);
  for (const [id, model] of entriesAt(root, ['models'])) addModel(context, id, model);
  for (const [, peer] of entriesAt(root, ['peers'])) addPeer(context, peer);
  const keys = addKeys(context, root);
  const { sets, refused } = setsOf(root);
  leaveRouting(root, leave);
  if (refused) leave(refused, 'It cannot be written as lists of models: berth runs together what fits.');
  const onDemand = sets
    ? { onDemand: { sets: sets.map((set) => set.map((id) => context.names.get(id) ?? id)) } }
    : {};
  const gateway = {
    ...(Object.keys(context.routes).length > 0 ? { routes: context.routes } : {}),
    ...keys,
    ...onDemand,
  };
  return {
    from: 'llama-swap',
    fleet: { models: context.models, deployments: context.deployments, gateway },
    left,
  };
}

/** What there is of a matrix and of routing beside the sets. */
function leaveRouting(root: Located, leave: Leave): void {
  const learned = 'What a model costs to lose is learned from how long it takes to load.';
  leaveUnknown(sharing(root).matrix, ['vars', 'sets'], { evict_costs: learned }, leave);
  const scheduler = 'Who waits is served by turns of keys and by priority, of a key or a route.';
  leaveUnknown(pieceAt(root, ['routing']), ['router'], { scheduler }, leave);
  const use = pieceAt(root, ['routing', 'router', 'use']);
  if (use && !['group', 'matrix'].includes(textAt(use, []))) leave(use, 'Berth has nothing like it.');
}

interface Context extends ConvertOptions {
  readonly leave: Leave;
  readonly macros: Macros;
  readonly nameOf: (text: string) => string;
  readonly names: Map<string, string>;
  readonly models: Conversion['fleet']['models'];
  readonly deployments: Conversion['fleet']['deployments'];
  readonly routes: Record<string, unknown>;
  readonly globalTtl: number;
  readonly startSeconds: number;
}

function contextOf(root: Located, options: ConvertOptions, leave: Leave): Context {
  return {
    ...options,
    leave,
    macros: readMacros(root, new Map()),
    nameOf: namer(),
    names: new Map(),
    models: {},
    deployments: {},
    routes: {},
    globalTtl: Number(scalarAt(root, ['globalTTL']) ?? 0),
    startSeconds: Math.max(15, Number(scalarAt(root, ['healthCheckTimeout']) ?? 120)),
  };
}

function addModel(context: Context, id: string, model: Located): void {
  const { leave } = context;
  leaveUnknown(model, modelKeys, modelReasons, leave);
  const macros = readMacros(model, new Map([['MODEL_ID', id], ...context.macros]));
  leaveVariants(model, { id, macros, leave });
  const cmd = fillMacros(withoutComments(textAt(model, ['cmd'])), macros);
  const read = readCommand(withVariables(cmd, context.env), context.folder);
  if (!read) return leave(model, 'It has no "cmd".');
  const piece = pieceAt(model, ['cmd']) ?? model;
  for (const reason of read.dropped) leave(piece, reason);
  for (const name of variablesIn(withVariables(cmd, context.env)))
    leave(piece, `\${env.${name}} is not set here, or is a secret: nothing fills it in.`);
  const name = context.nameOf(id);
  context.names.set(id, name);
  if (read.model)
    context.models[name] = { source: read.model, ...(read.mmproj ? { mmproj: read.mmproj } : {}) };
  const port = read.port ?? fixedPort(context, model, macros);
  context.deployments[name] = {
    ...(read.model ? { model: name } : {}),
    load: 'on-demand',
    ttl: `${ttlOf(context, model)}s`,
    ...(port === null ? {} : { port }),
    engine: engineOf(context, model, { read, macros }),
  };
  addRoute(context, { id, name, aliases: aliasesOf(model, leave) });
}

/** Names that llama-swap makes for a model with other parameters. */
function leaveVariants(
  model: Located,
  { id, macros, leave }: { id: string; macros: Macros; leave: Leave },
): void {
  for (const [key, piece] of entriesAt(model, ['filters', 'setParamsByID'])) {
    const other = fillMacros(key, macros);
    if (other === id) continue;
    leave(piece, `${other} is no model here: requests for it get 404 until a route of that name is made.`);
  }
}

/** Values of the environment that are no secrets are written out. */
function withVariables(text: string, env: ConvertOptions['env']): string {
  return text.replace(/\$\{env\.(\w+)\}/g, (whole, name: string) =>
    secretVariable.test(name) ? whole : (env[name] ?? whole),
  );
}

/** Negative: as for all. */
function ttlOf({ globalTtl }: Context, model: Located): number {
  const ttl = Number(scalarAt(model, ['ttl']) ?? -1);
  return Math.max(0, Math.round(ttl < 0 ? globalTtl : ttl));
}

/** A port in `proxy` that the command does not fill in. */
function fixedPort({ leave }: Context, model: Located, macros: Macros): number | null {
  const piece = pieceAt(model, ['proxy']);
  const text = fillMacros(textAt(model, ['proxy']), macros);
  const address = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\]):(\d+|\$\{PORT\})\/?$/.exec(text);
  if (piece && !address) leave(piece, 'Berth asks the engine on 127.0.0.1, at the port that it was given.');
  return address?.[2] && /^\d+$/.test(address[2]) ? Number(address[2]) : null;
}

function engineOf(
  context: Context,
  model: Located,
  { read, macros }: { read: ReadCommand; macros: Macros },
): Record<string, unknown> {
  const env = { ...read.env, ...envOf(context, model) };
  const served = scalarAt(model, ['useModelName']);
  const limit = Number(scalarAt(model, ['concurrencyLimit']) ?? 0);
  const limitAt = pieceAt(model, ['concurrencyLimit']);
  const health = pieceAt(model, ['checkEndpoint']);
  const path = fillMacros(textAt(model, ['checkEndpoint']), macros);
  const isCommand = read.engine['kind'] === 'command';
  if (limitAt && !isCommand && limit !== read.engine['slots'])
    context.leave(limitAt, 'The engine gets as many requests at once as it has slots (--parallel).');
  if (health && (!isCommand || path === 'none')) context.leave(health, 'Berth asks /health.');
  return {
    ...read.engine,
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(isCommand && path.startsWith('/') ? { healthPath: path } : {}),
    ...(typeof served === 'string' && served !== '' ? { [isCommand ? 'servedModel' : 'alias']: served } : {}),
    ...(isCommand && limit > 0 ? { slots: limit } : {}),
    startTimeout: `${context.startSeconds}s`,
  };
}

function envOf({ leave, env }: Context, model: Located): Record<string, string> {
  const list = pieceAt(model, ['env'])?.content;
  const found: Record<string, string> = {};
  for (const item of list?.kind === 'list' ? list.items : []) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(textAt(item, [])) ?? [];
    const filled = withVariables(value, env);
    const [other] = variablesIn(filled).filter((one) => one !== name);
    if (other !== undefined)
      leave(
        item,
        `${name} is not set to what ${other} holds: export ${name} in the shell that starts berth.`,
      );
    else if (secretVariable.test(name) || filled.includes('${'))
      leave(item, `${name} may hold a secret: engines inherit it from the shell that starts berth.`);
    else if (name !== '') found[name] = filled;
  }
  return found;
}

/** Plain, or with more to say of it. */
function aliasesOf(model: Located, leave: Leave): string[] {
  const list = pieceAt(model, ['aliases'])?.content;
  return (list?.kind === 'list' ? list.items : []).flatMap((item) => {
    leaveUnknown(item, ['id'], { ...modelReasons, unlisted: 'Aliases are always listed.' }, leave);
    const id = scalarAt(item, []) ?? scalarAt(item, ['id']);
    return typeof id === 'string' ? [id] : [];
  });
}

/** A deployment answers to its own name already. */
function addRoute(
  { routes }: Context,
  { id, name, aliases }: { id: string; name: string; aliases: readonly string[] },
): void {
  if (id !== name || aliases.length > 0) routes[id] = aliases.length > 0 ? { to: name, aliases } : name;
}

function addPeer(context: Context, peer: Located): void {
  const { leave } = context;
  leaveUnknown(peer, ['proxy', 'apiKey', 'models'], modelReasons, leave);
  const there = `${peer.path.at(-1) ?? 'peer'}`;
  const models = pieceAt(peer, ['models'])?.content;
  const url = fillMacros(textAt(peer, ['proxy']), context.macros);
  const key = keyOf(context, pieceAt(peer, ['apiKey']), variableName(`${there} key`));
  const items = models?.kind === 'list' ? models.items : [];
  if (items.length === 0) leave(peer, 'It names no models that could be asked for there.');
  for (const item of items) {
    const id = textAt(item, []);
    const name = context.nameOf(id);
    const known = context.names.has(id);
    if (!known) context.names.set(id, name);
    context.deployments[name] = { engine: { kind: 'openai', url, ...(key ? { key } : {}), servedModel: id } };
    // One that is here too, or at an earlier peer, is reached by the name with its peer alone.
    const whole = `${there}/${id}`;
    addRoute(context, known ? { id: whole, name, aliases: [] } : { id, name, aliases: [whole] });
  }
}

/** Where the key lies; one that stands in the file is not copied. */
function keyOf({ leave, macros }: Context, piece: Located | null, variable: string): string | null {
  if (!piece) return null;
  const text = fillMacros(textAt(piece, []), macros);
  const named = /^\$\{env\.(\w+)\}$/.exec(text)?.[1];
  if (named) return `\${env:${named}}`;
  leave(piece, `The key is not copied: set ${variable} in the environment of berth.`);
  return `\${env:${variable}}`;
}

function addKeys(context: Context, root: Located): { keys?: Record<string, string> } {
  const list = pieceAt(root, ['apiKeys'])?.content;
  const items = list?.kind === 'list' ? list.items : [];
  if (items.length === 0) return {};
  const keys = items.map((item, i): [string, string] => [
    `client-${i + 1}`,
    keyOf(context, item, `BERTH_KEY_${i + 1}`) ?? '',
  ]);
  return { keys: Object.fromEntries(keys) };
}
