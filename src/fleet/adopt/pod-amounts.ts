import { amountOf } from '../../domain/kube-amount.ts';
import { cpuText, sizeText } from '../../domain/resources.ts';
import type { ForeignEngine } from '../../targets/kubernetes/foreign.ts';

type Found = ForeignEngine['resources'];
type Amounts = Readonly<Record<string, string | number>>;

/** Names by which a cluster counts GPUs, the usual one that berth takes by itself, and what an engine is told to compute on. */
const makers = [
  { known: /^nvidia\.com\/(gpu|mig-.+)$/, usual: 'nvidia.com/gpu', accelerator: undefined },
  { known: /^amd\.com\/gpu$/, usual: 'amd.com/gpu', accelerator: 'rocm' },
  { known: /^gpu\.intel\.com\/(i915|xe)$/, usual: null, accelerator: 'vulkan' },
] as const;

/** GPUs that a container has, by the name under which they are counted where that is not its maker's usual one. */
export function gpusFound(
  resources: Found,
): { count: number; resource: string | undefined; accelerator: string | undefined } | null {
  for (const [name, amount] of Object.entries({ ...resources?.requests, ...resources?.limits })) {
    const maker = makers.find(({ known }) => known.test(name));
    if (!maker || Number(amount) === 0) continue;
    const resource = name === maker.usual ? undefined : name;
    return { count: Number(amount), resource, accelerator: maker.accelerator };
  }
  return null;
}

/** CPU and memory as a fleet file says them; null: nothing is said; a text: why it cannot. */
export function amountsFound(resources: Found): Record<string, Record<string, unknown>> | null | string {
  const both = { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} };
  const other = Object.keys({ ...both.requests, ...both.limits }).find(
    (name) => !['cpu', 'memory'].includes(name) && !makers.some(({ known }) => known.test(name)),
  );
  if (other !== undefined) return `its container asks for ${other}, which a fleet file has no word for`;
  const stated = Object.entries(both).flatMap(([kind, amounts]) => {
    const said = saidOf(amounts);
    return Object.keys(said).length === 0 ? [] : [[kind, said] as const];
  });
  return stated.length === 0 ? null : Object.fromEntries(stated);
}

function saidOf({ cpu, memory }: Amounts): Record<string, unknown> {
  const cpus = amountOf(cpu);
  const bytes = amountOf(memory);
  return {
    ...(cpus === null ? {} : { cpu: Number.isInteger(cpus) ? cpus : cpuText(cpus) }),
    ...(bytes === null ? {} : { memory: sized(Math.round(bytes)) }),
  };
}

/** Bytes as a fleet file says them, which wants a unit. */
export function sized(bytes: number): string {
  const text = sizeText(bytes);
  return /\d$/.test(text) ? `${text}B` : text;
}
