import { spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { createFakes, freePort, scanReport, serverOf } from './fakes.ts';

const missing = whyNot();

/** Null when namespaces can be made here. */
function whyNot(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  const name = `berth-probe-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (made.error) return 'needs the program ip (iproute2)';
  if (made.status !== 0) return `ip netns add failed: ${made.stderr.trim()}`;
  spawnSync('ip', ['netns', 'delete', name]);
  return null;
}

test.skipIf(missing)(
  `two servers on one port in two network namespaces are two, and no conflict${missing ? ` (skipped: ${missing})` : ''}`,
  async () => {
    using fakes = createFakes();
    const name = `berth-test-${process.pid}`;
    expect(spawnSync('ip', ['netns', 'add', name]).status).toBe(0);
    onTestFinished(() => void spawnSync('ip', ['netns', 'delete', name]));
    const port = await freePort();
    const argv = [fakes.program('llama-server'), '-m', 'x.gguf', '--port', String(port)];
    const outside = await fakes.start(argv, { BIND: '0.0.0.0' });
    const inside = await fakes.start(['ip', 'netns', 'exec', name, ...argv], { BIND: '0.0.0.0' });
    const report = await scanReport();
    const [first, second] = [serverOf(report, outside.pid), serverOf(report, inside.pid)];
    expect(first?.endpoints).toMatchObject([{ address: '0.0.0.0', port, here: true }]);
    expect(second?.endpoints).toMatchObject([{ address: '0.0.0.0', port, here: false }]);
    expect(first?.endpoints[0]?.netns).not.toBe(second?.endpoints[0]?.netns);
    expect([first?.state, second?.state]).toEqual(['answers', 'unknown']);
    const named = report.findings.filter((finding) => /port-held|not-answering/.test(finding.rule));
    expect(named.filter((finding) => /x\.gguf/.test(finding.object))).toEqual([]);
  },
);
