import { removeCommand } from '../../domain/audit/server-words.ts';
import type { ObservedContainer } from '../../domain/audit/observation.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

/** No daemon starts for the first time what somebody only made; compose does, once what it waits for is there. */
function neverStarted({ state, error, managedBy }: ObservedContainer): boolean {
  return state === 'created' && error === null && managedBy === null;
}

export const orphanContainer: Rule = {
  id: 'orphan-container',
  severity: 'info',
  finds: 'a container of a model server that has ended or never ran, and that nothing starts',
  why: 'It keeps its name, its layers and its mounts.',
  find: ({ hosts }) =>
    perHost(hosts, ({ host, containers, units }) =>
      containers
        .filter(
          (one) =>
            ['exited', 'created', 'dead'].includes(one.state) &&
            (one.restartPolicy === 'no' || neverStarted(one)) &&
            !one.outOfMemory &&
            !one.marked &&
            // A unit or a swarm starts another one in its place.
            !/^(unit|swarm service) /.test(one.managedBy ?? '') &&
            !units.some((unit) => unit.container === one.name),
        )
        .map((one) => ({
          object: `container ${one.name}`,
          names: [one.name],
          message: `It is ${one.state}, and nothing starts it.`,
          evidence: [`image ${one.image}`, `state ${one.state}`, `restart policy ${one.restartPolicy}`],
          cure: 'Remove it once you know that nobody starts it by hand; its definition is kept.',
          commands: [removeCommand([`container:${one.name}`], host)],
        })),
    ),
};
