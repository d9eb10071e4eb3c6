import { runningUnseen } from '../../domain/audit/container-server.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Container, Workload } from '../../domain/audit/kube-object.ts';
import type { DefinedServer } from '../../domain/audit/observation.ts';
import { formatBytes } from '../../domain/format.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

const MiB = 1024 ** 2;
/** What llama-server takes when nothing is said. */
const usualMiB = 8192;

export const promptCacheOverLimit: Rule = {
  id: 'prompt-cache-over-limit',
  severity: 'warning',
  finds:
    'a llama-server whose cache of prompts (`--cache-ram`, 8192 MiB by default) can grow beyond its memory limit',
  why: 'It runs well for days, and is killed for memory once enough different prompts have come.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, (host) =>
      host.servers.flatMap((server) => {
        if (server.engine !== 'llama.cpp') return [];
        // Mapped weights can be dropped; what else it holds cannot.
        const held = Math.max(0, (server.rssBytes ?? 0) - (server.rssFileBytes ?? 0));
        return judge(server.options['cacheRam'], server.memoryLimitBytes, {
          held,
          ...subjectOf(server, host),
        });
      }),
    ),
    ...perHost(hosts, (host) =>
      runningUnseen(host).flatMap(({ name, starts, memoryLimit }) =>
        starts.engine === 'llama.cpp'
          ? judge(starts.options['cacheRam'], memoryLimit, {
              held: 0,
              object: `container ${name}`,
              names: [name],
            })
          : [],
      ),
    ),
    ...pods.flatMap(({ workload, container, server, memoryLimit }) =>
      server.engine === 'llama.cpp' && (isSaid(server) || !saysMore(workload, container))
        ? judge(server.options['cacheRam'], memoryLimit, {
            held: 0,
            object: titleOf(workload.object),
            names: [workload.object.metadata.name],
          })
        : [],
    ),
  ],
};

function isSaid({ options }: DefinedServer): boolean {
  return typeof options['cacheRam'] === 'number';
}

/** What another object adds may say how much. */
function saysMore({ partial }: Workload, { env, envFrom }: Container): boolean {
  const isElsewhere = (env ?? []).some(({ name, valueFrom }) => name === 'LLAMA_ARG_CACHE_RAM' && valueFrom);
  return partial || isElsewhere || (envFrom ?? []).length > 0;
}

function judge(
  cacheRam: unknown,
  limit: number | null,
  { held, ...subject }: { held: number; object: string; names: string[] },
): Found[] {
  const cacheMiB = typeof cacheRam === 'number' ? cacheRam : usualMiB;
  const cache = cacheMiB * MiB;
  if (limit === null || (cacheMiB >= 0 && cache + held < limit)) return [];
  const fits = Math.max(0, Math.floor((limit - held) / 2 / MiB));
  return [
    {
      ...subject,
      message: `Its cache of prompts may grow to ${cacheMiB < 0 ? 'any size' : formatBytes(cache)}, and its memory limit is ${formatBytes(limit)}.`,
      evidence: [
        typeof cacheRam === 'number' ? `--cache-ram ${cacheRam}` : `--cache-ram is not set (${usualMiB} MiB)`,
        `memory limit ${limit} bytes`,
        ...(held > 0 ? [`it holds ${formatBytes(held)} beside its weights already`] : []),
      ],
      cure: `Start it with --cache-ram ${fits} (engine.cacheRam), or raise the limit.`,
    },
  ];
}
