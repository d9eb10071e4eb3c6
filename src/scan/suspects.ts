import { baseName, unwrap } from '../domain/command-line/unwrap.ts';
import type { FoundServer } from './find-servers.ts';
import type { Seen } from './seen.ts';

/** Words that model servers nobody knows by name still carry in their command lines. */
const hints =
  /\.gguf\b|\.safetensors\b|llama|\bllm|[vt]llm|mlc_llm|transformers|exllama|aphrodite|tabbyapi|mistral|infinity_emb|lmdeploy|mlx_lm|openai|inference|huggingface|^ray::\w*Proxy/i;

/** What passes requests on, or speaks of servers: whose answers it gives is no model server here. */
const forwards =
  /^(kubectl|oc|k9s|ssh|sshd|autossh|mosh-server|socat|ncat|nc|nginx|haproxy|envoy|traefik|caddy|httpd|apache2|litellm|vllm-router|vllm_router\.app|sglang[-_]router(\..*)?|smg|bifrost(-http)?|one-api|new-api|olla|open-webui|kong|varnishd|stunnel\d?|cloudflared|tailscaled|ngrok|frpc|frps|chisel|docker|dockerd|docker-proxy|podman|conmon|rootlessport|rootlesskit|slirp4netns|pasta|passt|gvproxy|containerd(-shim.*)?|kubelet|kube-proxy|k3s|systemd-socket-proxyd|oauth2[-_]proxy|ghostunnel|rinetd|redir|gost|simpleproxy|mitm(proxy|web|dump)|mitmproxy(\..*)?|toxiproxy(-server)?|wstunnel|websockify|tailscale|openresty|angie|lighttpd|squid|tinyproxy|sniproxy|apisix|pomerium|zrok|rathole|bore|inlets|dumbproxy|glider|sslh|hitch|pound|varnish|hey|vector|oha|prometheus|grafana(-server)?|otelcol.*|code|code-server|jupyter.*|tmux.*|vim?|nvim|emacs)$/i;

/** Our own processes that answer in OpenAI shape without being a model server. */
const own =
  /(^|\/)programs\/(gateway|truth-server|bench-worker|embedded)\.(ts|js)$|(^|\/)\.?bin\/berth(\.js)?$/;

/** Listening processes that look like model servers and that no engine knows: worth asking who they are. */
export function suspects(found: readonly FoundServer[], seen: Seen): FoundServer[] {
  const known = new Set(found.flatMap((server) => server.family.map((entry) => entry.pid)));
  return [...seen.table.processes.values()].flatMap((entry) => {
    const listeners = seen.listeners.filter(
      (listener) => listener.pids.includes(entry.pid) && listener.netns === seen.ownNetns,
    );
    const hinted =
      !namesOf(entry.argv).some((name) => forwards.test(name)) &&
      entry.argv.some((word) => hints.test(word)) &&
      !entry.argv.some((word) => own.test(word));
    if (listeners.length === 0 || known.has(entry.pid) || !hinted) return [];
    const recognized = { engine: 'unknown', model: null, host: null, port: null, options: {}, child: false };
    return [{ entry, recognized, children: [], family: [entry], listeners }];
  });
}

/** Of the program that a command line runs, and of one that gave itself a title ("nginx: master process …"). */
function namesOf(argv: readonly string[]): string[] {
  const title = (argv[0] ?? '').split(/:?\s/)[0] ?? '';
  return [...unwrap(argv).map(({ program }) => program), baseName(title)];
}
