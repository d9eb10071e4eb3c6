import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fillArg, fillArgs, filler, filesNamed } from '../../domain/fill-args.ts';
import { gpuEnvironment } from '../../domain/gpu-environment.ts';
import { markText } from '../../domain/mark-text.ts';
import type { Mark } from '../../domain/instance.ts';
import type { Arg, Hole, LaunchSpec } from '../../domain/launch-spec.ts';
import { sizeText } from '../../domain/resources.ts';
import { hardening, hiddenFolders } from './hardening.ts';
import { unitWish } from './options.ts';
import type { SystemdOptions } from './options.ts';
import { checkMemory, waitForHealth } from './scripts.ts';
import { escapeText, ownComment, quoteWord, writeUnit } from './unit-text.ts';
import type { Section, UnitText } from './unit-text.ts';

/** What a unit is made from, beside the mark: facts of the host. */
export interface UnitFacts {
  readonly unit: string;
  readonly scope: 'system' | 'user';
  /** Folder of its environment and secrets. */
  readonly config: string;
  /** The program with absolute paths and its first words. */
  readonly program: readonly string[];
  /** Paths that it must be able to read, beside the model. */
  readonly reads: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly fetcher: 'curl' | 'wget' | null;
  /** Of the groups that may use GPUs, those that exist. */
  readonly gpuGroups: readonly string[];
  readonly systemdVersion: number;
}

export interface Rendered {
  readonly unit: string;
  readonly environment: string;
  readonly dropIn: string;
}

/** Stand for what only systemd knows; no text of a user has them. */
const cacheSign = '\uE000';
const credentialSign = '\uE001';

/** The name of the file; else that of fleet and deployment. Replicas of "x@" are its instances x@0, x@1, ... */
export function unitNameOf(
  mark: Pick<Mark, 'fleet' | 'deployment' | 'replica'>,
  options: Pick<SystemdOptions, 'unit'>,
): string {
  const { name } = unitWish(options);
  if (name?.endsWith('@')) return `${name}${mark.replica}`;
  const number = mark.replica === 0 ? '' : `-${mark.replica}`;
  return `${name ?? `berth-${mark.fleet}-${mark.deployment}`}${number}`;
}

/** Everything of a unit but the secrets themselves. Pure: reading a unit back compares with this. */
export function renderUnit(mark: Mark, options: SystemdOptions, facts: UnitFacts): Rendered {
  const unit = writeUnit(overlay(unitOf(mark, options, facts), unitWish(options).raw), ownComment);
  return { unit, environment: environmentFile(mark, facts), dropIn: dropInOf(mark, unit) };
}

function unitOf(mark: Mark, options: SystemdOptions, facts: UnitFacts): UnitText {
  const { spec } = mark;
  const command = [...facts.program, ...fillArgs(spec.args, fillerOf(mark, facts))].map((word) =>
    signs(quoteWord(word), '${CREDENTIALS_DIRECTORY}'),
  );
  const folders = foldersOf(mark, facts.scope);
  // An engine for GPUs that names no number of them takes all that it finds.
  const hasGpus = spec.devices.vendor !== 'none';
  const health = waitForHealth(facts.fetcher, mark);
  const service: Section = [
    ['Type', 'exec'],
    ...userKeys(options, facts, hasGpus),
    ['EnvironmentFile', join(facts.config, 'environment')],
    ...environmentKeys(mark, facts),
    ...(facts.scope === 'system'
      ? Object.keys(spec.secrets).map(
          (key) => ['LoadCredential', `${key}:${join(facts.config, key)}`] as const,
        )
      : []),
    ...(folders.length > 0
      ? [['CacheDirectory', folders.map((key) => cacheOf(mark, key)).join(' ')] as const]
      : []),
    ...(spec.workdir === undefined ? [] : [['WorkingDirectory', escapeText(spec.workdir)] as const]),
    ['ExecStart', command.join(' ')],
    ...(health === null ? [] : [['ExecStartPost', `/bin/sh -c ${quoteWord(health)}`] as const]),
    ['ExecStopPost', `-/bin/sh -c ${quoteWord(checkMemory)}`],
    ...timing(mark, options, facts),
    ...limits(spec),
    ...hardening({ level: options.hardening, scope: facts.scope, gpus: hasGpus }),
    ...bindings(mark, options, facts),
  ];
  return [
    [
      'Unit',
      [
        ['Description', descriptionOf(mark)],
        ['After', 'network-online.target'],
        ['Wants', 'network-online.target'],
        ['StartLimitIntervalSec', '600'],
        ['StartLimitBurst', '5'],
      ],
    ],
    ['Service', service],
    ['Install', [['WantedBy', facts.scope === 'system' ? 'multi-user.target' : 'default.target']]],
  ];
}

function userKeys(options: SystemdOptions, facts: UnitFacts, gpus: boolean): Section {
  if (facts.scope === 'user') return [];
  return [
    options.user === undefined ? ['DynamicUser', 'yes'] : ['User', options.user],
    ...(gpus && facts.gpuGroups.length > 0
      ? [['SupplementaryGroups', facts.gpuGroups.join(' ')] as const]
      : []),
  ];
}

function timing(mark: Mark, options: SystemdOptions, facts: UnitFacts): Section {
  const { readiness, stop } = mark.spec;
  return [
    ['TimeoutStartSec', String(Math.ceil(readiness.startTimeoutMs / 1000) + 30)],
    ['TimeoutStopSec', String(Math.max(1, Math.ceil(stop.graceMs / 1000)))],
    ['KillMode', 'mixed'],
    ['KillSignal', stop.signal],
    ['Restart', options.restart],
    ['RestartSec', '2'],
    ...(facts.systemdVersion >= 254
      ? ([
          ['RestartSteps', '6'],
          ['RestartMaxDelaySec', '2min'],
        ] as const)
      : []),
  ];
}

function limits({ resources, lockedMemory }: LaunchSpec): Section {
  const { requests = {}, limits = {} } = resources ?? {};
  return [
    ...(requests.memory === undefined ? [] : [['MemoryLow', memory(requests.memory)] as const]),
    ...(limits.memory === undefined ? [] : [['MemoryMax', memory(limits.memory)] as const]),
    // One CPU is what a unit weighs where nothing is said.
    ...(requests.cpu === undefined ? [] : [['CPUWeight', String(weight(requests.cpu))] as const]),
    ...(limits.cpu === undefined ? [] : [['CPUQuota', `${Math.round(limits.cpu * 100)}%`] as const]),
    // A user's manager gives as much of it as it has itself.
    ...(lockedMemory ? [['LimitMEMLOCK', 'infinity'] as const] : []),
    ['OOMScoreAdjust', '200'],
  ];
}

/** Its K, M, G and T are powers of 1024. */
function memory(bytes: number): string {
  return sizeText(bytes).replace('i', '');
}

function weight(cpus: number): number {
  return Math.min(10_000, Math.max(1, Math.round(cpus * 100)));
}

/** What lies where the sandbox hides the host is let in by itself, read only. "-": a word of the command may be no path at all. */
function bindings(mark: Mark, options: SystemdOptions, facts: UnitFacts): Section {
  return hiddenReads(mark, options, facts).map(
    (path) => ['BindReadOnlyPaths', `"-${escapeText(path)}"`] as const,
  );
}

export function hiddenReads(mark: Mark, options: SystemdOptions, facts: UnitFacts): string[] {
  if (facts.scope === 'user' || options.hardening !== 'strict') return [];
  const { model, mmproj, workdir } = mark.spec;
  const words = mark.spec.args.filter((arg) => typeof arg === 'string' && arg.startsWith('/')) as string[];
  const named = [...words, ...filesNamed(mark.spec), model, mmproj];
  const files = named.flatMap((path) => (path === null ? [] : [folderOf(path)]));
  const wanted = [...files, ...(workdir === undefined ? [] : [workdir]), ...facts.reads];
  const hidden = wanted.filter((path) => hiddenFolders.some((folder) => path.startsWith(`${folder}/`)));
  return [...new Set(hidden)].toSorted();
}

/** A model may have parts beside it; but a folder that everything lies in is not let in whole. */
function folderOf(path: string): string {
  const folder = dirname(path);
  return hiddenFolders.some((one) => folder === one || dirname(folder) === one) ? path : folder;
}

/** Folders that it may write. A system unit has no home, so that what the program keeps there goes with them. */
export function foldersOf({ spec }: Mark, scope: 'system' | 'user'): string[] {
  return [...spec.writable, ...(scope === 'system' ? Object.keys(spec.caches ?? {}) : [])];
}

function cacheOf(mark: Mark, key: string): string {
  return `berth/${mark.fleet}-${mark.fleetId}/${mark.deployment}-${mark.replica}/${key}`;
}

function fillerOf(mark: Mark, facts: UnitFacts): (hole: Hole) => string {
  const { spec, address, port } = mark;
  return filler({
    model: spec.model ?? '',
    mmproj: spec.mmproj ?? '',
    host: address,
    port,
    secret: (key) => (facts.scope === 'system' ? `${credentialSign}/${key}` : join(facts.config, key)),
    cache: (key) => `${cacheSign}/${cacheOf(mark, key)}`,
  });
}

function signs(text: string, credentials: string): string {
  return text.replaceAll(cacheSign, '%C').replaceAll(credentialSign, credentials);
}

/** Only a unit's own lines know where systemd puts caches and credentials. */
function hasSign(arg: Arg, mark: Mark, facts: UnitFacts): boolean {
  return /[\uE000\uE001]/.test(fillArg(arg, fillerOf(mark, facts)));
}

function environmentKeys(mark: Mark, facts: UnitFacts): Section {
  const caches = facts.scope === 'system' ? Object.entries(mark.spec.caches ?? {}) : [];
  const homes = caches.map(([key, { env }]) => [env, { hole: 'cache', name: key }] as const);
  return [...homes, ...Object.entries(mark.spec.env)]
    .filter(([, arg]) => hasSign(arg, mark, facts))
    .map(([name, arg]) => {
      const text = escapeText(`${name}=${fillArg(arg, fillerOf(mark, facts))}`);
      return ['Environment', `"${signs(text, '%d')}"`] as const;
    });
}

function environmentFile(mark: Mark, facts: UnitFacts): string {
  const own = Object.entries(mark.spec.env)
    .filter(([, arg]) => !hasSign(arg, mark, facts))
    .map(([name, arg]) => [name, fillArg(arg, fillerOf(mark, facts))] as const);
  const lines = [...Object.entries({ ...facts.environment, ...gpuEnvironment(mark.spec) }), ...own].map(
    ([name, value]) => `${name}="${value.replaceAll(/[\\"$`]/g, String.raw`\$&`)}"\n`,
  );
  return `# Written by berth.\n${lines.join('')}`;
}

/** By which what was written is known again: SHA-256 in hexadecimal. */
export function unitSum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Carries the mark: systemd passes over keys that begin with X-, and "systemctl show" does not print them. */
export function dropInOf(mark: Mark, unit: string, how: { adopted: boolean } = { adopted: false }): string {
  return writeUnit(
    [
      [
        'Unit',
        [
          ['X-Berth-Fleet', mark.fleet],
          ['X-Berth-Fleet-Id', mark.fleetId],
          ['X-Berth-Deployment', mark.deployment],
          ['X-Berth-Replica', String(mark.replica)],
          ['X-Berth-Unit-Sha256', unitSum(unit)],
          ...(how.adopted ? [['X-Berth-Adopted', 'yes'] as const] : []),
          ['X-Berth-Mark', markText(mark)],
        ],
      ],
    ],
    'The mark by which berth knows its own unit.',
  );
}

/** What a unit says of itself. */
export function descriptionOf({ deployment, fleet, spec }: Mark): string {
  return escapeText(`${deployment} of fleet ${fleet} (${spec.engine}, by berth)`);
}

/** Keys of which systemd keeps every line; a raw one is added to ours instead of taking its place. */
const lists =
  /^(Exec\w+|Environment|EnvironmentFile|LoadCredential|DeviceAllow|SystemCallFilter|\w+Paths|After|Before|Wants|Requires|WantedBy|AddCapability|AddDevice|GlobalArgs|GroupAdd|Label|PodmanArgs|PublishPort|Volume|Condition\w+|Assert\w+)$/;

type Raw = ReturnType<typeof unitWish>['raw'];

/** Raw keys of the file over those that berth writes. */
export function overlay(unit: UnitText, raw: Raw): UnitText {
  return unit.map(([name, keys]) => {
    const given = Object.entries(raw[name as keyof Raw]).map(
      ([key, value]) => [key, [value].flat()] as const,
    );
    const replaced = new Set(given.flatMap(([key]) => (lists.test(key) && key !== 'ExecStart' ? [] : [key])));
    return [
      name,
      [
        ...keys.filter(([key]) => !replaced.has(key)),
        ...given.flatMap(([key, values]) => values.map((one) => [key, String(one)] as const)),
      ],
    ] as const;
  });
}
