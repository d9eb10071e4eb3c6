import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';

/** What a question is refused with, by its method and the end of its path; undefined: it is granted. */
type Refusal = (question: string) => readonly [status: number, message: string] | undefined;

/** A container that is to run, as it was told to be made. */
export interface RunBody {
  readonly Entrypoint?: string[];
  readonly Cmd?: string[];
  readonly HostConfig: Record<string, unknown>;
}

/** What it gives ends it. */
type Run = (body: RunBody) => () => void;

interface Container {
  readonly Id: string;
  readonly Name: string;
  readonly Config: Record<string, unknown>;
  readonly HostConfig: Record<string, unknown>;
  running: boolean;
  end: (() => void) | null;
}

interface Volume {
  readonly Name: string;
  readonly Labels: Record<string, string>;
}

/** A container engine at the wire, which keeps what it is told to make and runs nothing of it by itself. */
export interface DockerServer {
  readonly host: string;
  /** Names of the containers that it has. */
  readonly containers: () => string[];
  /** Its volumes, with their labels. */
  readonly volumes: () => Volume[];
  refuse: Refusal;
  readonly close: () => Promise<void>;
}

export async function startDockerServer(socket: string, run: Run = () => () => {}): Promise<DockerServer> {
  const kept = new Map<string, Container>();
  const volumes = new Map<string, Volume>();
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
    if (path === '/volumes/create') {
      const { Name, Labels } = body as Volume;
      // As the real ones do, one that is there stays as it is.
      volumes.set(Name, volumes.get(Name) ?? { Name, Labels });
      return [201, volumes.get(Name)];
    }
    if (path === '/volumes') return [200, { Volumes: [...volumes.values()] }];
    if (kind === 'volumes' && method === 'DELETE') return [volumes.delete(id) ? 204 : 404, {}];
    if (path === '/containers/json') return [200, [...kept.values()].map(listed)];
    if (path === '/containers/create') {
      const { HostConfig = {}, ...Config } = body as { HostConfig?: Record<string, unknown> };
      const one = {
        Id: randomBytes(32).toString('hex'),
        Name: `/${query.get('name')}`,
        Config,
        HostConfig,
        running: false,
        end: null,
      };
      kept.set(one.Id, one);
      return [201, { Id: one.Id }];
    }
    const one = kept.get(id);
    if (kind !== 'containers' || !one) return [404, { message: 'there is no such thing' }];
    if (method === 'DELETE') {
      one.end?.();
      return [kept.delete(id) ? 204 : 404, {}];
    }
    if (verb === 'json') return [200, inspected(one)];
    if (verb === 'start' || verb === 'stop') {
      one.running = verb === 'start';
      one.end?.();
      one.end = one.running ? run({ ...one.Config, HostConfig: one.HostConfig }) : null;
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
    volumes: () => [...volumes.values()],
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
