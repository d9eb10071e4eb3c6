import type { ObservedHost } from '../../domain/audit/observation.ts';
import { usableCores } from '../../domain/hardware.ts';
import { nameOf } from '../../domain/audit/server-words.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const threads: Rule = {
  id: 'threads',
  severity: 'warning',
  finds: 'more threads over all servers of a machine than it has cores',
  why: 'Each step of a model waits for its slowest thread.',
  find: ({ hosts }) => perHost(hosts, onHost),
};

function onHost({ host, servers, hardware }: ObservedHost): Found[] {
  const cores = usableCores(hardware.cpu);
  const counted = servers.flatMap((server) => {
    const count = server.options['threads'];
    return typeof count === 'number' && count > 0 ? [{ server, count }] : [];
  });
  const total = counted.reduce((sum, one) => sum + one.count, 0);
  if (total <= cores) return [];
  return [
    {
      object: host === 'local' ? 'this machine' : host,
      message: `Its model servers compute with ${total} threads on ${cores} ${cores === 1 ? 'core' : 'cores'}; each waits for the slowest.`,
      evidence: counted.map(({ server, count }) => `${nameOf(server)}: ${count}`),
      cure: `Give all of them together at most ${Math.max(1, cores - 1)}, so that one core is free for the rest.`,
    },
  ];
}
