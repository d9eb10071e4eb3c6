import { findProgram } from '../../io/find-program.ts';
import { absent, bad, defineCheck, good } from '../contract.ts';

interface Facts {
  readonly programs: readonly {
    readonly binary: string;
    readonly deployments: readonly string[];
    readonly path: string | null;
    readonly version: string | null;
  }[];
}

const howTo: Readonly<Record<string, string>> = {
  'llama-server':
    'Install llama.cpp (a release of ggml-org/llama.cpp, "brew install llama.cpp", or apt where it has it), or name its path with engine.binary.',
  vllm: 'In a Python environment of its own: pip install vllm; then name its path with engine.binary.',
};

export const programs = defineCheck<'programs', Facts>({
  kind: 'programs',
  title: 'Programs of engines',
  gather: async (world, wants) => {
    const names = [...new Set(wants.programs.map(({ binary }) => binary))];
    return {
      programs: await Promise.all(
        names.map(async (binary) => {
          const path = await findProgram(world, binary);
          const ran = path ? await world.exec.run([path, '--version'], { timeoutMs: 20_000 }) : null;
          return {
            binary,
            deployments: wants.programs.filter((one) => one.binary === binary).map((one) => one.deployment),
            path,
            version: ran?.code === 0 ? versionOf(ran.stdout + ran.stderr) : null,
          };
        }),
      ),
    };
  },
  judge: ({ programs: found }) => {
    if (found.length === 0) return [absent('No engine here is a program of this machine.')];
    return found.map(({ binary, deployments, path, version }) =>
      path === null
        ? bad('critical', `${binary} is not here, and ${deployments.join(', ')} needs it.`, {
            evidence: [`looked for ${binary} on PATH`],
            cure: howTo[binary] ?? `Install ${binary}, or name its path in the fleet file.`,
          })
        : good(`${binary} is there${version === null ? '' : `, ${version}`}.`, [path]),
    );
  },
});

/** The first line that has a number in it, without the time stamps that some programs print. */
function versionOf(text: string): string | null {
  const line = text.split('\n').find((one) => /\d/.test(one) && !/^\d+\.\d+\.\d+\.\d+ /.test(one));
  return line?.trim().slice(0, 80) ?? null;
}
