import type { GatewayMark } from '../../domain/cluster-gateway.ts';
import type { GatewayAction, Reason } from '../../domain/plan.ts';
import { gatewayMark } from '../../render/gateway-objects.ts';
import { sameValue } from '../plan/differences.ts';
import type { SeenGateway } from './look.ts';
import type { WantedGateway } from './wanted.ts';

/** Keys of the fleet file, where a part of the mark is one. */
const fields: Readonly<Record<string, string>> = {
  image: 'gateway.image',
  replicas: 'gateway.replicas',
  port: 'gateway.listen',
  tlsSecret: 'gateway.tls.secret',
  allowAnonymous: 'gateway.allowAnonymous',
  drainMs: 'gateway.limits.drain',
  anyUser: 'kubernetes.openshift',
};

/** What becomes of the gateways that clusters have, where the file wants that one. Hosts that did not answer are left alone. Pure. */
export function planGateways(
  wanted: WantedGateway | null,
  seen: readonly SeenGateway[],
  /** `changed`: its secrets that are others than those that the pods of the wanted one were given. */
  { silent, changed }: { silent: ReadonlySet<string>; changed: readonly Reason[] },
): GatewayAction[] {
  const stops = seen
    // One that `berth render --gateway` alone has written is its maker's affair.
    .filter(({ host, mark }) => host !== wanted?.host && mark?.inFile !== false)
    .map(({ host }): GatewayAction => {
      const text = wanted ? `the file wants it on host ${wanted.host}` : 'the file wants no gateway there';
      return { do: 'stop', host, reasons: [{ field: 'gateway.host', text }] };
    });
  if (!wanted || silent.has(wanted.host)) return stops;
  const { host, gateway } = wanted;
  const there = seen.find((one) => one.host === host);
  if (!there)
    return [
      { do: 'start', host, reasons: [{ field: null, text: 'it does not run' }], wanted: gateway },
      ...stops,
    ];
  const reasons = [...differences(there.mark, gatewayMark(gateway)), ...changed];
  return [
    reasons.length > 0
      ? { do: 'replace', host, reasons, wanted: gateway }
      : { do: 'keep', host, reasons: [{ field: null, text: 'it runs as the file says' }], wanted: gateway },
    ...stops,
  ];
}

function differences(before: GatewayMark | null, now: GatewayMark): Reason[] {
  if (!before) return [{ field: null, text: 'another version of berth wrote it' }];
  return Object.keys({ ...before, ...now }).flatMap((name): Reason[] => {
    const key = name as keyof GatewayMark;
    const [was, value] = [before[key], now[key]];
    if (sameValue(was, value)) return [];
    const field = fields[key] ?? null;
    if (field === null) return [{ field, text: 'what it reads of the fleet file has changed' }];
    return [{ field, text: `${field}: ${shown(was)} → ${shown(value)}` }];
  });
}

function shown(value: unknown): string {
  const text = String(value);
  return text === 'undefined' ? 'none' : text;
}
