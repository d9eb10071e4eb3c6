import { titleOf } from '../../domain/audit/kube-object.ts';
import type { KubeObject } from '../../domain/audit/kube-object.ts';
import { openWays } from '../../domain/audit/open-containers.ts';
import { openServices } from '../../domain/audit/open-services.ts';
import { saysElsewhere, serverPort } from '../../domain/audit/server-port.ts';
import { asksForNone } from '../../domain/audit/asks-for-none.ts';
import { isLoopback } from '../../domain/loopback.ts';
import { placeOf, subjectOf } from '../../domain/audit/server-words.ts';
import type { ObservedContainer, ObservedHost } from '../../domain/audit/observation.ts';
import type { Found, PodServer, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const openWithoutKey: Rule = {
  id: 'open-without-key',
  severity: 'warning',
  finds: 'a server that others can reach and that asks for no key',
  why: 'Anyone on the network can use it, and read what it is asked where its slots are shown.',
  find: ({ hosts, objects, pods }) => [
    ...perHost(hosts, (host) =>
      host.servers
        .filter(
          (server) =>
            asksForNone(server) && server.endpoints.some((one) => one.here && !isLoopback(one.address)),
        )
        .map((server) => ({
          ...subjectOf(server, host),
          message: 'It listens beyond this machine and asks for no key.',
          evidence: [`It listens on ${placeOf(server)}.`, ...server.evidence.slice(0, 2)],
          cure: 'Let it listen on 127.0.0.1 with a gateway in front ("berth init"), or give it a key.',
        })),
    ),
    ...perHost(hosts, (host) => host.containers.flatMap((one) => ofContainer(one, host))),
    ...pods.flatMap((pod) => ofPod(pod, objects)),
  ],
};

function ofContainer(container: ObservedContainer, host: ObservedHost): Found[] {
  const { name, starts } = container;
  const ways = openWays(container, host);
  if (ways.length === 0 || !asksForNone(starts)) return [];
  return [
    {
      object: `container ${name}`,
      names: [name],
      message: 'It is reached from beyond this machine and asks for no key.',
      evidence: ways,
      cure: 'Publish it on 127.0.0.1 with a gateway in front ("berth init"), or give it a key.',
    },
  ];
}

/** By a Service that leads into the cluster from outside, or a port of its node. */
function ofPod(pod: PodServer, objects: readonly KubeObject[]): Found[] {
  const { server, container, workload } = pod;
  const open = [
    ...openServices(pod, objects).map((one) => `${titleOf(one)} has type ${String(one.spec?.['type'])}.`),
    ...ofNode(pod),
  ];
  // A key that a Secret holds, or that another object adds, does not show.
  const mayHave = (container.env ?? []).some(({ name, valueFrom }) => valueFrom && /KEY|TOKEN/.test(name));
  if (open.length === 0 || !asksForNone(server) || mayHave || saysElsewhere(pod)) return [];
  const { object } = workload;
  return [
    {
      object: titleOf(object),
      names: [object.metadata.name],
      message: 'It is reached from outside the cluster and asks for no key.',
      evidence: open,
      cure: 'Let it be reached by a Service of type ClusterIP with a gateway in front ("berth init"), or give it a key.',
    },
  ];
}

/** Of the ports of its node it takes that which leads to the server. */
function ofNode(pod: PodServer): string[] {
  const own = serverPort(pod);
  return (pod.container.ports ?? []).flatMap(({ containerPort, hostPort, hostIP }) =>
    hostPort && (own === null || containerPort === own) && !(hostIP && isLoopback(hostIP))
      ? [`hostPort ${hostPort} of its node leads to its port ${containerPort}.`]
      : [],
  );
}
