import { bad, defineCheck, good } from '../contract.ts';
import type { Verdict } from '../contract.ts';

/** Soft and hard, in units of the limit; infinity for none. */
interface Limit {
  readonly soft: number;
  readonly hard: number;
}

interface Facts {
  readonly nofile: Limit | null;
  readonly memlock: Limit | null;
}

export const limits = defineCheck<'limits', Facts>({
  kind: 'limits',
  title: 'Limits of processes',
  gather: async (world) => {
    const text = (await world.files.read(`${world.proc}/self/limits`)) ?? '';
    return { nofile: limitOf(text, 'Max open files'), memlock: limitOf(text, 'Max locked memory') };
  },
  judge: ({ nofile, memlock }, { mlock }) => [
    ...(nofile ? [openFiles(nofile)] : []),
    ...(memlock ? [locked(memlock, mlock)] : []),
  ],
});

export function limitOf(text: string, name: string): Limit | null {
  const [, soft, hard] = new RegExp(`^${name}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(text) ?? [];
  if (soft === undefined || hard === undefined) return null;
  return { soft: numberOf(soft), hard: numberOf(hard) };
}

function numberOf(word: string): number {
  return word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word);
}

/** A stream through the gateway holds two sockets. Node raises the soft limit to the hard one by itself. */
function openFiles({ soft, hard }: Limit): Verdict {
  const evidence = [`nofile: soft ${soft}, hard ${hard}`];
  if (hard < 8_192)
    return bad('warning', `A gateway here has room for about ${Math.floor(hard / 2)} streams at once.`, {
      evidence,
      cure: 'Raise nofile in /etc/security/limits.d/berth.conf ("* hard nofile 65536"), then log in again.',
    });
  return good(`Room for ${Math.floor(Math.min(hard, 1_000_000) / 2)} streams at once.`, evidence);
}

function locked({ soft, hard }: Limit, wanted: boolean): Verdict {
  const evidence = [`memlock: soft ${soft}, hard ${hard} bytes`];
  if (hard === Number.POSITIVE_INFINITY || !wanted)
    return good(
      wanted ? 'Engines may hold models in memory (mlock).' : 'No engine asks to hold memory (mlock).',
      evidence,
    );
  return bad('warning', 'Engines may not hold models in memory, as engine.loadMode wants.', {
    evidence,
    cure: 'Raise memlock in /etc/security/limits.d/berth.conf ("* - memlock unlimited"), then log in again; units and containers get it by themselves.',
  });
}
