import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';

/** What a question is refused with, by its method and the end of its path; undefined: it is granted. */
type Refusal = (question: string) => readonly [status: number, message: string] | undefined;

interface Container {
  readonly Id: string;
  readonly Name: string;
  readonly Config: Record<string, unknown>;
  readonly HostConfig: Record<string, unknown>;
  running: boolean;
}

/** A container engine at the wire, which keeps what it is told to make and runs nothing of it. */
export interface DockerServer {
  readonly host: string;
  /** Names of the containers that it has. */
  readonly containers: () => string[];
  refuse: Refusal;
  readonly close: () => Promise<void>;
}

export async function startDockerServer(socket: string): Promise<DockerServer> {
  const kept = new Map<string, Container>();
  const images = new Set<string>();
  const daemon: { refuse: Refusal } = { refuse: () => undefined };

  function answer(method: string, path: string, query: URLSearchParams, body: object): [number, unknown] {
    const [, kind = '', id = '', verb = ''] = path.split('/');
    if (path === '/version') return [200, { ApiVersion: '1.47', Components: [{ Name: 'Engine' }] }];
    if (path === '/info') return [200, { ServerVersion: '27', Driver: 'overlay2' }];
    if (path === '/images/create') {
      images.add(query.get('fromImage') ?? '');
      return [200, { status: 'Pull complete' }];
    }
    if (kind === 'images') return images.has(decodeURIComponent(id)) ? [200, { Config: {} }] : [404, {}];
    if (path === '/containers/json') return [200, [...kept.values()].map(listed)];
    if (path === '/containers/create') {
      const { HostConfig = {}, ...Config } = body as { HostConfig?: Record<string, unknown> };
      const one = {
        Id: randomBytes(32).toString('hex'),
        Name: `/${query.get('name')}`,
        Config,
        HostConfig,
        running: false,
      };
      kept.set(one.Id, one);
      return [201, { Id: one.Id }];
    }
    const one = kept.get(id);
    if (kind !== 'containers' || !one) return [404, { message: 'there is no such thing' }];
    if (method === 'DELETE') return [kept.delete(id) ? 204 : 404, {}];
    if (verb === 'json') return [200, inspected(one)];
    if (verb === 'start' || verb === 'stop') {
      one.running = verb === 'start';
      return [204, {}];
    }
    return [404, { message: 'there is no such question' }];
  }

  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const url = new URL(request.url ?? '', 'http://daemon');
      const path = url.pathname.replace(/^\/v[\d.]+/, '');
      const method = request.method ?? 'GET';
      const refused = daemon.refuse(`${method} ${path.replace(/[0-9a-f]{64}/, 'ID')}`);
      const [status, json] = refused
        ? [refused[0], { message: refused[1] }]
        : answer(method, path, url.searchParams, body);
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(status === 204 ? '' : JSON.stringify(json));
    });
  });
  await new Promise<void>((done) => server.listen(socket, done));
  return Object.assign(daemon, {
    host: `unix://${socket}`,
    containers: () => [...kept.values()].map(({ Name }) => Name),
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  });
}

function listed({ Id, Name, Config, running }: Container): object {
  return { Id, Names: [Name], State: running ? 'running' : 'created', Labels: Config['Labels'] };
}

function inspected({ Id, Name, Config, HostConfig, running }: Container): object {
  const State = { Status: running ? 'running' : 'created', Running: running, Pid: 0, ExitCode: 0 };
  return { Id, Name, RestartCount: 0, State, Config, HostConfig, Mounts: [] };
}

async function bodyOf(request: IncomingMessage): Promise<object> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}
