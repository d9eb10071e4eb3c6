import type { ObservedHost } from '../../domain/audit/observation.ts';
import { formatBytes } from '../../domain/format.ts';
import type { AuditView, Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

/** Smaller ones are vocabularies and projectors. */
const counts = 100 * 1024 ** 2;

export const orphanModelFile: Rule = {
  id: 'orphan-model-file',
  severity: 'info',
  finds: 'a model file beside those that are served, that no server, unit, container or deployment names',
  why: 'Models are the largest files of such a machine.',
  find: (view) => perHost(view.hosts, (host) => onHost(host, view)),
};

/** Which files these serve stands in files of their own. */
const byList = ['llama-swap', 'localai', 'koboldcpp', 'text-generation-webui'];

function onHost(host: ObservedHost, { fleet }: AuditView): Found[] {
  const defined = [...host.units, ...host.containers];
  const all = [...host.servers, ...defined.map(({ starts }) => starts)];
  if (all.some(({ engine, options }) => byList.includes(engine) || 'modelsPreset' in options)) return [];
  const folders = all.flatMap(({ options }) => options['modelsDir'] ?? []).map(String);
  const served = new Set(host.servers.flatMap((server) => server.modelId ?? []));
  const words = [
    ...host.servers.flatMap((server) => server.command),
    ...defined.flatMap(({ starts }) => [...starts.command, starts.model ?? '']),
    ...(fleet?.deployments ?? []).flatMap((one) => one.model ?? []),
  ].join('\n');
  const unused = host.modelFiles.filter(
    ({ id, path, bytes }) =>
      bytes >= counts &&
      !served.has(id) &&
      !words.includes(baseOf(path)) &&
      // Whatever lies in the folder of a router is served.
      !folders.some((folder) => path.startsWith(`${folder.replace(/\/$/, '')}/`)),
  );
  return unused.map(({ path, bytes }) => ({
    object: path,
    message: `Nothing serves it, and it takes ${formatBytes(bytes)}.`,
    evidence: [`${path}: ${bytes} bytes`],
    cost: { diskBytes: bytes },
    cure: 'Remove it, or move it to where it costs less, once you know that nobody needs it.',
  }));
}

/** Parts of one split model are named by their first. */
function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/-\d{5}-of-(\d{5})\.gguf$/, '-00001-of-$1.gguf');
}
