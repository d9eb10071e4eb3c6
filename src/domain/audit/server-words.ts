import { urlHost } from '../url-host.ts';
import type { FindingCost } from '../finding.ts';
import { quoteWord } from '../command-line/quote-word.ts';
import type { ScannedServer } from '../scan-report.ts';

/** "llama.cpp mistral.gguf (process 4711)": names one server in a sentence. */
export function nameOf(server: ScannedServer): string {
  const model = modelName(server);
  return `${server.engine}${model === '-' ? '' : ` ${model}`} (process ${server.process.pid})`;
}

/** The model without its folders, as people call it. */
export function modelName(server: ScannedServer): string {
  const name = server.model ?? server.served[0] ?? '-';
  return name.startsWith('/') || name.startsWith('.') || name.endsWith('.gguf')
    ? name.slice(name.lastIndexOf('/') + 1)
    : name;
}

/** Addresses with their ports; those in another network namespace say so. */
export function placeOf(server: ScannedServer): string {
  if (server.endpoints.length === 0) return 'no port';
  return server.endpoints
    .map(({ address, port, here }) => `${urlHost(address)}:${port}${here ? '' : ' (own network)'}`)
    .join(', ');
}

export function ownerName(server: ScannedServer): string {
  const { kind, name, user } = server.owner;
  switch (kind) {
    case 'berth':
      return `berth ${name}`;
    case 'system-unit':
      return name;
    case 'user-unit':
      return `${name} of ${user}`;
    case 'container':
      return name;
    case 'pod':
      return `pod ${name.slice(0, 8)}`;
    case 'supervisor':
      return name;
    case 'session':
    case 'unknown':
      return `${user}, by hand`;
  }
}

/** The command that ends a server in the way that does not bring it back, and nothing beside it. */
export function stopCommand(server: ScannedServer): string {
  const { kind, name } = server.owner;
  if (endsOthers(server))
    return kind === 'pod' ? `take it out of the pod ${name}, which has others` : `kill ${server.process.pid}`;
  switch (kind) {
    case 'berth':
      return `berth down ${server.mark?.deployment ?? ''} (fleet ${server.mark?.fleet ?? 'unknown'})`;
    case 'system-unit':
      return `sudo systemctl ${endOf(server)} ${quoteWord(name)}`;
    case 'user-unit':
      return `systemctl --user ${endOf(server)} ${quoteWord(name)}`;
    case 'container': {
      const [tool, id] = name.split(' ');
      return tool === 'docker' || tool === 'podman' ? `${tool} stop ${id}` : `kill ${server.process.pid}`;
    }
    case 'pod':
      return `scale down the owner of pod ${name}`;
    case 'supervisor':
      return `have ${name} stop it`;
    case 'session':
    case 'unknown':
      return `kill ${server.process.pid}`;
  }
}

/** Whether to end what keeps it would end something else too. */
export function endsOthers({ owner: { kind }, shared }: ScannedServer): boolean {
  return shared === true && ['system-unit', 'user-unit', 'container', 'pod'].includes(kind);
}

/** A unit that systemd-run has made has no file that could start it again, and refuses to be disabled. */
function endOf({ owner, transient }: ScannedServer): string {
  return transient === true || isTransientName(owner.name) ? 'stop' : 'disable --now';
}

/** What systemd-run calls a unit that is given no name: "run-u12", "run-r0123abcd", "run-p12-i34". */
export function isTransientName(unit: string): boolean {
  return /^run-(u\d+|r[0-9a-f]+|p\d+-i\d+)\.(service|scope)$/.test(unit);
}

/** What removes an object that is not of a fleet, and keeps its definition. */
export function removeCommand(objects: readonly string[], host: string): string {
  return `berth remove ${objects.map(quoteWord).join(' ')}${host === 'local' ? '' : ` --host ${quoteWord(host)}`}`;
}

/** A server as "berth remove" takes it; null for what a fleet or a pod has, and for what shares a unit or a container. */
export function removableName(server: ScannedServer): string | null {
  const { owner, process } = server;
  if (endsOthers(server)) return null;
  switch (owner.kind) {
    case 'system-unit':
      return `unit:${owner.name}`;
    case 'user-unit':
      return `user-unit:${owner.name}`;
    case 'container': {
      const [tool, id] = owner.name.split(' ');
      return id !== undefined && (tool === 'docker' || tool === 'podman') ? `container:${id}` : null;
    }
    case 'session':
    case 'unknown':
      return `process:${process.pid}`;
    case 'berth':
    case 'pod':
    case 'supervisor':
      return null;
  }
}

/** How a finding names a server: for people, and by the names under which a fleet file may speak of it. */
export function subjectOf(
  server: ScannedServer,
  host: { readonly host: string },
): { object: string; names: string[] } {
  const object = nameOf(server);
  const { deployment } = server.mark ?? {};
  return {
    object: host.host === 'local' ? object : `${object} on ${host.host}`,
    names: [...(deployment === undefined ? [] : [deployment]), ...ownNames(server)],
  };
}

function ownNames({ owner }: ScannedServer): string[] {
  switch (owner.kind) {
    case 'system-unit':
    case 'user-unit':
    case 'container':
    case 'pod':
    case 'supervisor':
      return [owner.name];
    case 'berth':
    case 'session':
    case 'unknown':
      return [];
  }
}

/** Where its log can be read, as the end of a sentence. */
export function logHint(server: ScannedServer): string {
  const { kind, name } = server.owner;
  switch (kind) {
    case 'berth':
      return ` (berth logs ${server.mark?.deployment})`;
    case 'system-unit':
      return ` (journalctl -u ${name})`;
    case 'user-unit':
      return ` (journalctl --user -u ${name})`;
    case 'container':
      return /^(docker|podman) /.test(name) ? ` (${name.replace(' ', ' logs ')})` : '';
    case 'pod':
    case 'supervisor':
    case 'session':
    case 'unknown':
      return '';
  }
}

/** What it holds of its machine, for a fault by which it holds that for nothing. */
export function holdingOf({ rssBytes, gpuBytes }: ScannedServer): FindingCost {
  return {
    ...(rssBytes === null ? {} : { memoryBytes: rssBytes }),
    ...(gpuBytes === null ? {} : { gpuBytes }),
  };
}
