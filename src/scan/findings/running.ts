import type { Finding } from '../../domain/finding.ts';
import { usableCores } from '../../domain/hardware.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { nameOf, ownerName, stopCommand } from '../words.ts';
import type { FindingContext } from './context.ts';

/** More threads than the limit lets run: the kernel stops all of them in turn, and each step waits for the stopped one. */
export function throttled(servers: readonly ScannedServer[]): Finding[] {
  return servers.flatMap((server) => {
    const count = server.options['threads'];
    if (typeof count !== 'number' || server.quotaCores === null || count <= Math.ceil(server.quotaCores))
      return [];
    return [
      {
        rule: 'throttled-threads',
        severity: 'warning' as const,
        object: nameOf(server),
        message: `It computes with ${count} threads, and its CPU limit is ${server.quotaCores}.`,
        evidence: [`Process ${server.process.pid} is in ${ownerName(server)}.`],
        cure: `Give it at most ${Math.max(1, Math.floor(server.quotaCores))} threads, or raise the limit.`,
      },
    ];
  });
}

export function threads(servers: readonly ScannedServer[], { hardware }: FindingContext): Finding[] {
  const cores = usableCores(hardware.cpu);
  const counted = servers.flatMap((server) => {
    const count = server.options['threads'];
    return typeof count === 'number' && count > 0 ? [{ server, count }] : [];
  });
  const total = counted.reduce((sum, one) => sum + one.count, 0);
  if (total <= cores) return [];
  return [
    {
      rule: 'threads',
      severity: 'warning',
      object: 'this machine',
      message: `Its model servers compute with ${total} threads on ${cores} ${cores === 1 ? 'core' : 'cores'}; each waits for the slowest.`,
      evidence: counted.map(({ server, count }) => `${nameOf(server)}: ${count}`),
      cure: `Give all of them together at most ${Math.max(1, cores - 1)}, so that one core is free for the rest.`,
    },
  ];
}

export function silent(servers: readonly ScannedServer[]): Finding[] {
  return servers
    .filter((server) => server.state === 'silent')
    .map((server) => ({
      rule: 'not-answering',
      severity: 'warning' as const,
      object: nameOf(server),
      message: 'It runs and does not answer.',
      evidence: [...server.evidence],
      cure: `See its log${logHint(server)}; if it stays so, end it: ${stopCommand(server)}`,
    }));
}

function logHint(server: ScannedServer): string {
  switch (server.owner.kind) {
    case 'berth':
      return ` (berth logs ${server.mark?.deployment})`;
    case 'system-unit':
      return ` (journalctl -u ${server.owner.name})`;
    case 'user-unit':
      return ` (journalctl --user -u ${server.owner.name})`;
    case 'container':
      return server.owner.name.match(/^(docker|podman) /)
        ? ` (${server.owner.name.replace(' ', ' logs ')})`
        : '';
    case 'pod':
    case 'session':
    case 'unknown':
      return '';
  }
}
