import type { Finding } from '../../domain/finding.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { targetOf, usesHostPrograms } from '../../targets/registry.ts';
import type { Deployment } from '../file/resolve.ts';

/**
 * Files that an engine's own words name (`args`, a `command`) where those of this machine are not there: berth brings it what its
 * options name, and reads no meaning into words. `far`: its host is another machine. Pure.
 */
export function filesInWords(
  { name, host, engine, target }: Pick<Deployment, 'name' | 'host' | 'engine' | 'target'>,
  { args }: Pick<LaunchSpec, 'args'>,
  far: boolean,
): Finding[] {
  const imaged = !usesHostPrograms(target);
  if (!imaged && !far) return [];
  const said = new Set([...wordsAt(engine, 'args'), ...wordsAt(engine, 'command')]);
  // A program of an image has its own files there.
  const ofImage = imaged && wordsAt(engine, 'command').length > 0;
  const words = args.flatMap((arg, at): Named[] => {
    if (typeof arg !== 'string' || !said.has(arg)) return [];
    const before = args[at - 1];
    return namedBy(arg, typeof before === 'string' ? before : '');
  });
  const mounts = imaged ? [...ofEveryContainer, ...pathsIn(target)] : [];
  const open = words.filter(({ path }) => {
    // By such a path an image is meant, or on another machine what lies there.
    if (imaged ? /^\w[^/]*\//.test(path) : path.startsWith('/')) return false;
    if (ofImage && path.startsWith('/')) return false;
    return !mounts.some((mount) => path === mount || path.startsWith(`${mount}/`));
  });
  if (open.length === 0) return [];
  const paths = open.map(({ path }) => path).join(', ');
  const message = imaged
    ? `Its words name ${paths}, which berth does not give it: ${targetOf(target.kind).title} has what its image and its mounts hold, and no file of this machine.`
    : `Its words name ${paths}, which berth does not give it: ${host} has no file of this machine, and the path counts from where the engine is started there.`;
  const cure = imaged
    ? `Name it by an option where there is one (chatTemplateFile, chatTemplate, lora), else have a mount hold it (target.${mountedBy[target.kind] ?? 'patch'}) or an image; where the image has it, all is well.`
    : 'Name it by an option where there is one (chatTemplateFile, chatTemplate), else bring it there and write its whole path.';
  return [
    {
      rule: 'file-not-given',
      severity: 'warning',
      object: name,
      message,
      evidence: open.map(({ flag, path }) => (flag === '' ? path : `${flag} ${path}`)),
      cure,
    },
  ];
}

interface Named {
  readonly flag: string;
  readonly path: string;
}

/** Where a container has a file system of its own, or what berth mounts. */
const ofEveryContainer = [
  '/models',
  '/mmproj',
  '/var/lib/berth',
  '/run/secrets',
  '/tmp',
  '/dev',
  '/proc',
  '/sys',
];

/** What of a target's raw part holds mounts. */
const mountedBy: Readonly<Record<string, string>> = { docker: 'hostConfig.Binds', systemd: 'unit' };

function wordsAt(engine: Readonly<Record<string, unknown>>, key: 'args' | 'command'): string[] {
  const words = engine[key];
  return Array.isArray(words) ? words.filter((word) => typeof word === 'string') : [];
}

/** "--flag PATH", "--flag=PATH", "--flag NAME=PATH", "--flag PATH:SCALE". */
function namedBy(word: string, before: string): Named[] {
  const [, own, rest = word] = /^(--?[\w-]+)=(.*)$/s.exec(word) ?? [];
  if (own === undefined && word.startsWith('-')) return [];
  const flag = own ?? (before.startsWith('-') && !before.includes('=') ? before : '');
  const path = rest.replace(/^[\w.-]+=/, '').replace(/:[\d.]+$/, '');
  return isFile(flag, path) ? [{ flag, path }] : [];
}

const ofUrls = /prefix|root-path|route|endpoint|url|metrics/i;
const ofFiles = /file|path|dir|folder|template|lora|adapter|grammar|cert|key|preset|plugin|schema|config/i;

function isFile(flag: string, text: string): boolean {
  if (/[\s{}"]/.test(text) || text.includes('://')) return false;
  if (/^(\.{1,2}|~)\/./.test(text)) return true;
  if (/^\/./.test(text)) return !ofUrls.test(flag) && (ofFiles.test(flag) || /\.[A-Za-z]\w*$/.test(text));
  return ofFiles.test(flag) && /\w\.(jinja2?|json|ya?ml|ini|toml|gbnf|txt|pem|crt|key|py)$/.test(text);
}

/** All absolute paths in the texts of a target, such as both sides of a mount. */
function pathsIn(value: unknown): string[] {
  if (typeof value === 'string')
    return value.split(/[:,=\s]/).flatMap((text) => (/^\/./.test(text) ? [text.replace(/\/+$/, '')] : []));
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(pathsIn) : [];
}
