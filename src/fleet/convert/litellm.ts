import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { leaveUnknown, leftovers, namer, variableName, textAt } from './conversion.ts';
import type { Conversion, ConvertOptions, Leave } from './conversion.ts';
import { servedBy, usualKey } from './litellm-providers.ts';

const priceKeys = { input: 'input_cost_per_token', output: 'output_cost_per_token' } as const;
const paramKeys = [
  'model',
  'custom_llm_provider',
  'api_base',
  'base_url',
  'api_key',
  'weight',
  'order',
  'rpm',
  'tpm',
  'max_parallel_requests',
  priceKeys.input,
  priceKeys.output,
];
const fileKeys = ['model_list', 'router_settings', 'litellm_settings', 'general_settings'];
const fileReasons = { environment_variables: 'Set them in the environment of berth; none is copied.' };
const sharedLimits =
  'Limits that several gateways share: gateway.limits.shared takes the URL of a Redis, a password with it.';
const ejection = 'Engines that fail are left out by themselves, and tried again; there is nothing to set.';
const receivers =
  'Prometheus reads /metrics, and gateway.tracing.otlp takes traces; there are no other receivers.';
const budgets = 'What each key may spend in a day or a month is gateway.limits.eachKey.budget.';
const settingReasons = {
  routing_strategy: 'Requests are dealt out by weight; "policy" chooses among replicas.',
  num_retries:
    'Requests are tried elsewhere as long as nothing has reached the client; there is no count to set.',
  redis_host: sharedLimits,
  redis_port: sharedLimits,
  redis_password: sharedLimits,
  redis_url: sharedLimits,
  allowed_fails: ejection,
  cooldown_time: ejection,
  callbacks: receivers,
  success_callback: receivers,
  failure_callback: receivers,
  stream_timeout: 'The longest silence of an engine is gateway.limits.idle.',
  max_parallel_requests: 'See "slots" of a deployment, and gateway.limits.eachKey.concurrent.',
  global_max_parallel_requests: 'See "slots" of a deployment, and gateway.limits.eachKey.concurrent.',
  max_budget: budgets,
  budget_duration: budgets,
  context_window_fallbacks: 'Fallbacks are for what cannot be served, not for prompts that are too long.',
  drop_params: 'Requests reach the server as the client sent them.',
  cache: 'Answers are not cached.',
  database_url: 'Keys and budgets of its database are not read: make keys with "berth keys add".',
  request_timeout: 'Times are set in gateway.limits.',
  timeout: 'Times are set in gateway.limits.',
};

/** A fleet of servers elsewhere, with the routes of a LiteLLM proxy. */
export function fromLiteLlm(root: Located, { env }: Pick<ConvertOptions, 'env'>): Conversion {
  const { left, leave } = leftovers();
  leaveUnknown(root, fileKeys, fileReasons, leave);
  const settings = ['router_settings', 'litellm_settings'].map((name) => pieceAt(root, [name]));
  for (const piece of settings)
    leaveUnknown(piece, ['model_group_alias', 'fallbacks'], settingReasons, leave);
  leaveUnknown(pieceAt(root, ['general_settings']), ['master_key'], settingReasons, leave);
  const list = pieceAt(root, ['model_list'])?.content;
  const nameOf = namer();
  const deployments: Record<string, Record<string, unknown>> = {};
  const groups = new Map<string, Entry[]>();
  // Those that come first are named first: a route to itself would be no fallback.
  const items = (list?.kind === 'list' ? list.items : []).toSorted((a, b) => orderOf(a) - orderOf(b));
  for (const item of items) {
    const entry = readEntry(item, { nameOf, leave, env });
    if (!entry) continue;
    deployments[entry.name] = { engine: entry.engine };
    groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
  }
  const routes = routesOf(groups, settings, leave);
  const models = limitsOf(groups, leave);
  const prices = pricesOf(groups, leave);
  const master = keyOf(pieceAt(root, ['general_settings', 'master_key']), 'BERTH_KEY', leave);
  const gateway = {
    ...(Object.keys(routes).length > 0 ? { routes } : {}),
    ...(master ? { masterKey: master } : {}),
    ...(Object.keys(prices).length > 0 ? { prices } : {}),
    ...(Object.keys(models).length > 0 ? { limits: { models } } : {}),
  };
  return { from: 'LiteLLM', fleet: { models: {}, deployments, gateway }, left };
}

/** In dollars per million tokens. */
interface Price {
  readonly input: number;
  readonly output: number;
}

/** What reading an entry needs. */
interface Reading {
  readonly nameOf: (text: string) => string;
  readonly leave: Leave;
  readonly env: ConvertOptions['env'];
}

interface Entry {
  readonly item: Located;
  readonly group: string;
  readonly name: string;
  readonly engine: Record<string, unknown>;
  readonly weight: number;
  /** Those of a higher one serve when those below cannot. */
  readonly order: number;
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly price: Price | null;
}

function readEntry(item: Located, { nameOf, leave, env }: Reading): Entry | null {
  const group = textAt(item, ['model_name']);
  const model = textAt(item, ['litellm_params', 'model']);
  const piece = pieceAt(item, ['litellm_params', 'model']) ?? item;
  const written = text(item, 'api_base') ?? text(item, 'base_url');
  const variable = /^os\.environ\/(\w+)$/.exec(written ?? '')?.[1];
  if (group === '' || model === '') return refuse(item, 'It has no model_name or no model.', leave);
  if (group.includes('*') || model.includes('*'))
    return refuse(piece, 'Berth has no wildcards: name each model.', leave);
  const served = servedBy(model, {
    stated: text(item, 'custom_llm_provider'),
    url: variable === undefined ? written : (env[variable] ?? null),
  });
  if (typeof served === 'string') return refuse(piece, served, leave);
  const base = variable !== undefined && env[variable] === undefined ? null : served.url;
  if (base === null && variable !== undefined)
    return refuse(
      piece,
      `Its address is in ${variable}, which is not set here: set it and convert anew.`,
      leave,
    );
  if (base === null) return refuse(piece, 'It has no api_base.', leave);
  if (!/^https?:\/\/[^@]+$/.test(base)) return refuse(piece, 'Its address is no plain URL.', leave);
  if (otherVersion.test(base.replace(/^https?:\/\/[^/]*/, '')))
    return refuse(piece, `Berth asks servers below /v1, and this one is asked at ${base}.`, leave);
  leaveUnknown(pieceAt(item, ['litellm_params']), paramKeys, settingReasons, leave);
  leaveUnknown(item, ['model_name', 'litellm_params', 'model_info'], {}, leave);
  leaveUnknown(pieceAt(item, ['model_info']), ['id', ...Object.values(priceKeys)], {}, leave);
  const name = nameOf(group);
  const keyAt = pieceAt(item, ['litellm_params', 'api_key']);
  const usual = keyAt ? null : usualKey(served);
  const key = usual ? `\${env:${usual}}` : keyOf(keyAt, `${variableName(name)}_KEY`, leave);
  const slots = number(item, 'max_parallel_requests');
  return {
    item,
    group,
    name,
    engine: {
      kind: 'openai',
      url: base,
      ...(key ? { key } : {}),
      servedModel: served.model,
      ...(slots ? { slots } : {}),
    },
    weight: number(item, 'weight') ?? 1,
    order: orderOf(item),
    rpm: number(item, 'rpm'),
    tpm: number(item, 'tpm'),
    price: priceOf(item),
  };
}

/** The path of an API that is not that of `/v1`, or goes on behind it. */
const otherVersion = /\/v(?!1\/*$)\d[^/]*(?:\/|$)/;

/** Without one an entry comes last. */
function orderOf(item: Located): number {
  return number(item, 'order') ?? Number.MAX_SAFE_INTEGER;
}

function refuse(piece: Located, reason: string, leave: Leave): null {
  leave(piece, reason);
  return null;
}

function text(item: Located, key: string): string | null {
  const value = scalarAt(item, ['litellm_params', key]);
  return typeof value === 'string' && value !== '' ? value : null;
}

function number(item: Located, key: string): number | null {
  const value = Number(scalarAt(item, ['litellm_params', key]));
  return value > 0 ? Math.ceil(value) : null;
}

function priceOf(item: Located): Price | null {
  const [input, output] = [priceKeys.input, priceKeys.output].map((key) => {
    const value = scalarAt(item, ['litellm_params', key]) ?? scalarAt(item, ['model_info', key]);
    // 1.5e-7 times a million is not quite 0.15 in binary.
    return value === undefined ? null : Number((Number(value) * 1e6).toPrecision(12));
  });
  if (input == null && output == null) return null;
  const price = { input: input ?? 0, output: output ?? 0 };
  return price.input >= 0 && price.output >= 0 ? price : null;
}

/** What people write where a server wants no key. */
const noKey = /^(none|empty|dummy|fake|not-needed|no-key|sk-no-key-required|lm-studio|ollama)$/i;

/** Where the key lies; one that stands in the file is not copied. */
function keyOf(piece: Located | null, variable: string, leave: Leave): string | null {
  const value = scalarAt(piece, []);
  if (!piece || typeof value !== 'string' || noKey.test(value)) return null;
  const named = /^os\.environ\/(\w+)$/.exec(value)?.[1];
  if (named) return `\${env:${named}}`;
  leave(piece, `The key is not copied: set ${variable} in the environment of berth.`);
  return `\${env:${variable}}`;
}

function routesOf(
  groups: ReadonlyMap<string, readonly Entry[]>,
  settings: readonly (Located | null)[],
  leave: Leave,
): Record<string, unknown> {
  const aliases = settings.flatMap((piece) => entriesAt(piece, ['model_group_alias']));
  for (const [, to] of aliases)
    if (scalarAt(to, ['hidden']) === true) leave(to, 'Aliases are always listed: this one is, too.');
  const fallbacks = settings.flatMap(fallbacksOf);
  for (const { at, of, to } of fallbacks)
    for (const name of [of, ...to])
      if (!groups.has(name)) leave(at, `The model ${name} was not carried over.`);
  const routes: Record<string, unknown> = {};
  for (const [group, entries] of groups) {
    const own = aliases.filter(([, to]) => nameIn(to) === group).map(([alias]) => alias);
    const elsewhere = fallbacks.find((one) => one.of === group)?.to.filter((name) => groups.has(name)) ?? [];
    const first = entries.filter((one) => one.order === entries[0]?.order);
    const later = entries.filter((one) => !first.includes(one)).map((one) => one.name);
    const fallback = [...later, ...elsewhere];
    const [only, ...others] = first;
    const plain = own.length === 0 && fallback.length === 0 && others.length === 0;
    if (plain && only?.name === group) continue;
    const to =
      others.length === 0 ? only?.name : Object.fromEntries(first.map(({ name, weight }) => [name, weight]));
    routes[group] = {
      to,
      ...(own.length > 0 ? { aliases: own } : {}),
      ...(fallback.length > 0 ? { fallback } : {}),
    };
  }
  for (const [, to] of aliases)
    if (!groups.has(nameIn(to))) leave(to, 'The model it stands for was not carried over.');
  return routes;
}

function nameIn(alias: Located): string {
  return textAt(alias, []) || textAt(alias, ['model']);
}

/** A list of maps, each of one model to its list. */
function fallbacksOf(settings: Located | null): { at: Located; of: string; to: string[] }[] {
  const list = pieceAt(settings, ['fallbacks'])?.content;
  return (list?.kind === 'list' ? list.items : []).flatMap((item) =>
    entriesAt(item, []).map(([of, to]) => ({
      at: to,
      of,
      to: (to.content.kind === 'list' ? to.content.items : []).map((name) => textAt(name, [])),
    })),
  );
}

/** Of a model whose servers all state one: they add up. */
function limitsOf(
  groups: ReadonlyMap<string, readonly Entry[]>,
  leave: Leave,
): Record<string, { rpm?: number; tpm?: number }> {
  const limits: Record<string, { rpm?: number; tpm?: number }> = {};
  for (const [group, entries] of groups) {
    const rpm = sumOf(entries, 'rpm', leave);
    const tpm = sumOf(entries, 'tpm', leave);
    if (rpm !== null || tpm !== null) limits[group] = { ...(rpm ? { rpm } : {}), ...(tpm ? { tpm } : {}) };
  }
  return limits;
}

function sumOf(entries: readonly Entry[], key: 'rpm' | 'tpm', leave: Leave): number | null {
  const stating = entries.filter((one) => one[key] !== null);
  if (stating.length === entries.length) return stating.reduce((total, one) => total + (one[key] ?? 0), 0);
  for (const { item } of stating)
    leave(
      pieceAt(item, ['litellm_params', key]) ?? item,
      'A limit is of the whole model, and other entries of it state none.',
    );
  return null;
}

/** A model has one price, whoever serves it. */
function pricesOf(groups: ReadonlyMap<string, readonly Entry[]>, leave: Leave): Record<string, Price> {
  const prices: Record<string, Price> = {};
  for (const [group, entries] of groups) {
    const [first] = entries;
    if (!first || entries.every((one) => one.price === null)) continue;
    const same = entries.every(
      ({ price }) => price?.input === first.price?.input && price?.output === first.price?.output,
    );
    if (same && first.price) prices[group] = first.price;
    else leave(first.item, 'Its entries have several prices, and a model has one: see gateway.prices.');
  }
  return prices;
}
