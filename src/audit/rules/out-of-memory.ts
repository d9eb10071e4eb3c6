import { titleOf } from '../../domain/audit/kube-object.ts';
import { podStates } from '../../domain/audit/pod-states.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

const cure = 'Give it more memory, or ask for less: fewer slots, a smaller context, a smaller --cache-ram.';

export const outOfMemory: Rule = {
  id: 'out-of-memory',
  severity: 'critical',
  finds: 'a server that was killed for the memory it took',
  why: 'It will be again: what it needs is more than it may have.',
  find: ({ hosts, modelPods }) => [
    ...perHost(hosts, (host) => [
      ...host.servers
        .filter((server) => (server.memoryKills ?? 0) > 0)
        .map((server) => ({
          ...subjectOf(server, host),
          message: `The kernel has ended ${server.memoryKills} of its processes for memory.`,
          evidence: [`memory.events: oom_kill ${server.memoryKills}`],
          cure,
        })),
      ...host.units
        .filter((unit) => unit.result === 'oom-kill')
        .map((unit) => ({
          object: unit.name,
          message: 'It was killed for memory.',
          evidence: [`Result=${unit.result}`, `ActiveState=${unit.active}`],
          cure,
        })),
      ...host.containers
        .filter((one) => one.outOfMemory)
        .map((one) => ({
          object: `container ${one.name}`,
          names: [one.name],
          message: 'It was killed for memory.',
          evidence: ['OOMKilled true', `state ${one.state}`],
          cure,
        })),
    ]),
    ...podStates(modelPods)
      .filter(({ killed }) => killed)
      .map(({ pod, container, restarts }) => ({
        object: titleOf(pod),
        names: [pod.metadata.name],
        message: `Its container ${container} was killed for memory.`,
        evidence: ['reason OOMKilled', `restartCount ${restarts}`],
        cure,
      })),
  ],
};
