import { findingsOnHost } from '../../src/audit/audit.ts';
import { ScanReport } from '../../src/domain/scan-report.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { scan } from '../../src/scan/scan.ts';
import { writeProcTree } from './proc-tree.ts';
import type { FakeProcess } from './proc-tree.ts';

const cpuinfo = 'processor\t: 0\nmodel name\t: Example CPU\n\nprocessor\t: 1\nmodel name\t: Example CPU\n';
const meminfo = 'MemTotal: 8388608 kB\nMemAvailable: 1 kB\n';

/** Scans a machine that is a folder; whatever is asked over HTTP gets no answer. */
export async function scanTree(
  processes: readonly FakeProcess[],
  replies: Readonly<Record<string, string>> = {},
): Promise<ScanReport> {
  using tree = writeProcTree(processes, { cpuinfo, meminfo });
  const base = localWorld();
  const world = {
    ...base,
    proc: tree.path,
    exec: { ...base.exec, run: async () => ({ code: null, signal: null, stdout: '', stderr: 'ENOENT' }) },
    http: {
      request: async (url: string) => {
        const text = replies[url];
        if (text === undefined) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
        return { status: 200, headers: {}, text };
      },
    },
  };
  return ScanReport.parse(
    await scan(world, {
      cwd: tree.path,
      signal: new AbortController().signal,
      timeoutMs: 5000,
      judge: findingsOnHost,
    }),
  );
}
