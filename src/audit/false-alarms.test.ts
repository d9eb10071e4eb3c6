import { expect, test } from 'vitest';
import { tcpRow, writeProcTree } from '../../test/support/proc-tree.ts';
import { usualIdleMs } from '../domain/audit/activity.ts';
import { auditText } from '../cli/text/audit-text.ts';
import { localWorld } from '../io/local-world.ts';
import { scanHost } from '../scan/scan.ts';
import { auditReport } from './audit.ts';

/** Programs that speak of model servers, or listen where they do, and are none. */
const lines: readonly (readonly string[])[] = [
  ['node', '/srv/shop/server.js'],
  ['python3', '-m', 'http.server', '8000'],
  ['vim', 'llama-server.md'],
  ['grep', 'vllm'],
  ['grep', '-rn', 'llama-server -m', '/etc'],
  ['rg', 'vllm serve', '/home/me'],
  ['less', '/var/log/llama-server.log'],
  ['tail', '-f', '/var/log/vllm.log'],
  ['man', 'llama-server'],
  ['emacs', '/etc/systemd/system/llama-server.service'],
  ['prometheus', '--config.file=/etc/prometheus/vllm.yml', '--web.listen-address=:9090'],
  ['grafana', 'server', '--homepath=/usr/share/grafana-llm'],
  ['postgres', '-D', '/var/lib/llm'],
  ['redis-server', '127.0.0.1:6379'],
  ['mysqld', '--datadir=/data/openai'],
  ['dockerd', '-H', 'fd://'],
  ['containerd'],
  ['docker', 'pull', 'vllm/vllm-openai:latest'],
  ['docker', 'logs', '-f', 'llama-server'],
  ['docker', 'run', '--rm', '-p', '8000:8000', 'vllm/vllm-openai:v0.11.0', '--model', 'Qwen/Qwen3-0.6B'],
  ['podman', 'run', 'ghcr.io/ggml-org/llama.cpp:server', '-m', '/models/a.gguf'],
  ['kubectl', 'logs', '-f', 'deploy/vllm'],
  ['kubectl', 'port-forward', 'svc/llama-server', '8080:80'],
  ['journalctl', '-u', 'llama-server', '-f'],
  ['systemctl', 'status', 'ollama'],
  ['git', 'clone', 'https://github.com/ggml-org/llama.cpp'],
  ['make', 'llama-server'],
  ['cmake', '--build', 'build', '--target', 'llama-server'],
  ['cc1plus', '-o', 'tools/server/server.o', '/src/llama.cpp/tools/server/server.cpp'],
  ['pip', 'install', 'vllm'],
  ['python3', '-m', 'pip', 'download', 'sglang'],
  ['wget', 'https://example.org/models/llama-server.tar.gz'],
  ['rsync', '-a', '/srv/models/llama.gguf', 'box:/srv'],
  ['sha256sum', '/srv/models/llama.gguf'],
  ['llama-cli', '-m', '/srv/models/a.gguf', '-p', 'hi'],
  ['llama-bench', '-m', '/srv/models/a.gguf'],
  ['llama-quantize', '/srv/models/a.gguf', '/srv/models/b.gguf', 'Q4_K_M'],
  ['llama-server', '--help'],
  ['ollama', 'run', 'gemma3'],
  ['ollama', 'list'],
  ['vllm', 'bench', 'serve', '--model', 'x'],
  ['vllm', 'chat', '--url', 'http://10.0.0.1:8000/v1'],
  ['ssh', 'gpu-box', 'llama-server -m /srv/models/a.gguf --port 8080'],
  ['tmux', 'new', '-s', 'llama-server'],
  ['bash', '-c', 'while :; do curl -s localhost:8080/health; sleep 5; done # llama-server'],
  ['nginx: master process nginx -c /etc/nginx/llm.conf'],
  ['/usr/sbin/nginx', '-c', '/etc/nginx/vllm.conf'],
  ['traefik', '--providers.file.filename=/etc/traefik/llama-server.yml'],
  ['haproxy', '-f', '/etc/haproxy/openai.cfg'],
  ['fluent-bit', '-i', 'tail', '-p', 'path=/var/log/vllm.log'],
  ['ollama-exporter', '--port', '8000'],
  ['llama-server-exporter', '--model', 'a', '--port', '9100'],
  ['litellm', '--config', '/etc/litellm.yaml', '--port', '4000'],
  ['node', '/usr/lib/node_modules/@portkey-ai/gateway/build/start-server.js'],
  ['python', '-m', 'sglang_router.launch_router', '--worker-urls', 'http://10.0.0.1:30000'],
  ['python3', '-m', 'uvicorn', 'vllm_proxy:app', '--port', '8000'],
  ['streamlit', 'run', 'llama_app.py', '--server.port', '8501'],
  ['python3', 'webui.py', '--listen', '--port', '7860'],
  ['jupyter-lab', '--notebook-dir=/srv/vllm'],
  ['java', '-jar', 'llama-server.jar'],
  ['qdrant', '--config-path', '/etc/qdrant/llm.yml'],
  ['mongod', '--dbpath', '/data/llama'],
  ['bash', './ci/run.sh', 'llama-server', '-m', 'a.gguf'],
  ['bash', './ci/run.sh', '--', 'vllm', 'serve', 'org/m'],
  ['python3', 'test_server.py', '--binary', 'llama-server', '--port', '8080'],
  ['kubectl', 'exec', '-it', 'vllm-0', '--', 'vllm', 'serve', 'org/m'],
  ['mosh', 'gpu-box', '--', 'llama-server', '-m', 'a.gguf'],
  ['screen', '-r', 'llama-server'],
  ['watch', '-n1', 'curl -s localhost:8080/health | grep llama-server'],
  ['restic', 'backup', '/srv/models/llama-server'],
  ['docker', 'build', '-t', 'vllm/vllm-openai', '.'],
  ['llama-server-bench', '-m', 'a.gguf'],
  ['python3', '-m', 'pytest', 'tests/vllm', 'serve'],
  ['ovms', '--pull', '--source_model', 'OpenVINO/x', '--model_repository_path', '/m'],
  ['exo', 'run', 'llama-3.2-3b'],
  ['claude', '-p', 'start llama-server -m a.gguf'],
];

/** What listens answers as web servers do that know no such page, or as those that answer everything. */
const answers = [
  { status: 404, headers: {}, text: '<h1>Not Found</h1>' },
  { status: 200, headers: {}, text: '{"status":"ok","data":[]}' },
];

test.each(answers)(
  'a busy machine whose servers answer $status gives "no model servers" and nothing else',
  async (answer) => {
    const processes = lines.map((argv, at) => ({
      pid: 100 + at,
      argv,
      netns: '100',
      sockets: [5000 + at],
      cgroup: at % 2 === 0 ? '/system.slice/some.service' : '/user.slice/user-1000.slice/session-3.scope',
    }));
    const tcp = processes.map(({ sockets: [inode = 0] }, at) => tcpRow('00000000', 8000 + at * 10, inode));
    using tree = writeProcTree([{ pid: 1, argv: ['systemd'], netns: '100', tcp }, ...processes]);
    const base = localWorld();
    const world = {
      ...base,
      proc: tree.path,
      exec: { ...base.exec, run: async () => ({ code: null, signal: null, stdout: '', stderr: 'ENOENT' }) },
      http: { request: async () => answer },
    };
    const { report, host } = await scanHost(world, {
      cwd: tree.path,
      signal: new AbortController().signal,
      timeoutMs: 5000,
    });
    const observation = {
      version: 1 as const,
      at: report.at,
      hosts: [host],
      clusters: [],
      fleet: null,
      figures: [],
      uses: [],
      idleMs: usualIdleMs,
    };
    expect(host.servers.map((server) => server.command.join(' '))).toEqual([]);
    expect(auditText(auditReport(observation, []), { explain: true })).toBe('no model servers');
  },
);
