import { join } from 'node:path';
import { freeLoopbackPort } from '../../io/free-port.ts';
import type { World } from '../../io/world.ts';

/** A plain reverse proxy before the same engine, to compare with. */
export interface Nginx {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const startMs = 5_000;
const pollMs = 50;

/** Starts nginx in a folder of its own; null when it is not on PATH, or does not start. Only http engines. */
export async function startNginx(world: World, engineUrl: string, folder: string): Promise<Nginx | null> {
  if (!engineUrl.startsWith('http:')) return null;
  const port = await freeLoopbackPort();
  const file = join(folder, 'nginx.conf');
  await world.files.write(file, configuration(folder, port, engineUrl));
  const child = await world.exec
    .start(['nginx', '-p', folder, '-c', file], { onErrorLine: ignore })
    .catch(() => null);
  if (!child) return null;
  const url = `http://127.0.0.1:${port}`;
  const until = world.clock.now() + startMs;
  while (world.clock.now() < until) {
    const reply = await world.http.request(`${url}/v1/models`, { timeoutMs: startMs }).catch(() => null);
    if (reply)
      return {
        url,
        pid: child.pid,
        stop: async () => {
          child.kill('SIGTERM');
          await child.exited;
        },
      };
    await world.clock.sleep(pollMs);
  }
  child.kill('SIGKILL');
  await child.exited;
  return null;
}

function ignore(): void {}

/**
 * One process, replies not buffered, connections to the engine kept, and a request sent once more where a kept one was closed as it came
 * (llama-server closes them after streams, unannounced, and nginx would answer 502): what a careful operator would write.
 */
function configuration(folder: string, port: number, engineUrl: string): string {
  const { host, pathname } = new URL(engineUrl);
  const path = pathname === '/' ? '' : pathname;
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path "${join(folder, kind)}";`,
  );
  return `master_process off;
daemon off;
pid "${join(folder, 'nginx.pid')}";
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  tcp_nodelay on;
  client_max_body_size 64m;
${temp.join('\n')}
  upstream engine { server ${host}; keepalive 256; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://engine${path};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_next_upstream error timeout non_idempotent;
      proxy_read_timeout 1h;
    }
  }
}
`;
}
