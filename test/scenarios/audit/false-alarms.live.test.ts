import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const missing = whyNot();

/** Null when a machine of its own can be made here: processes and network that nobody else is in. */
function whyNot(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  const made = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', '--net', 'true'], {
    encoding: 'utf8',
  });
  if (made.error) return 'needs the program unshare (util-linux)';
  if (made.status !== 0) return `unshare failed: ${made.stderr.trim()}`;
  return spawnSync('python3', ['--version']).error ? 'needs python3' : null;
}

/** Real programs under the names and words that fool a search of the process list; each waits for its port where it has one. */
const script = `
ip link set lo up 2>/dev/null
"$NODE" "$DIR/shop.js" & "$NODE" -e 'setInterval(() => {}, 1e6)' vim llama-server.md &
(cd "$DIR" && exec python3 -m http.server 8000 >/dev/null 2>&1) &
(exec -a vim sleep 1000) & (exec -a "vim llama-server.md" sleep 1000) &
"$DIR/vim" -f "$DIR/llama-server.md" >/dev/null & grep vllm <"$DIR/pipe" &
for name in prometheus postgres dockerd; do "$DIR/$name" -f "$DIR/vllm.yml" >/dev/null & done
exec 9>"$DIR/pipe"
for port in 8080 8000; do
  until "$NODE" -e "require('net').connect($port,'127.0.0.1').on('connect',()=>process.exit(0)).on('error',()=>process.exit(1))"; do :; done
done
cd "$DIR" && "$NODE" "$ROOT/bin/berth.js" audit --timeout 20s
echo "code $?"
`;

test.skipIf(missing)(
  `Node on 8080, Python's web server on 8000 and programs that speak of model servers give "no model servers"${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'berth audit '));
    try {
      const web = "require('http').createServer((_, r) => r.end('shop')).listen(8080)";
      writeFileSync(join(dir, 'shop.js'), web);
      writeFileSync(join(dir, 'llama-server.md'), 'llama-server -m model.gguf --port 8080\n');
      writeFileSync(join(dir, 'vllm.yml'), 'scrape_configs: [{job_name: vllm, metrics_path: /metrics}]\n');
      for (const name of ['vim', 'prometheus', 'postgres', 'dockerd'])
        symlinkSync('/usr/bin/tail', join(dir, name));
      spawnSync('mkfifo', [join(dir, 'pipe')]);
      const env = { ...process.env, DIR: dir, ROOT: root, NODE: process.execPath };
      const ran = spawnSync(
        'unshare',
        ['--pid', '--fork', '--kill-child', '--mount-proc', '--net', 'bash', '-c', script],
        {
          encoding: 'utf8',
          env: { ...env, HOME: dir, DOCKER_HOST: `unix://${dir}/none.sock` },
          timeout: 120_000,
        },
      );
      expect(ran.stdout).toBe('no model servers\ncode 0\n');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
);
