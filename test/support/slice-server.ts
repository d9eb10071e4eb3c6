import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an API server tells of one EndpointSlice, as far as the tests need it. */
export interface SliceObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels: Record<string, string> };
  readonly endpoints: readonly object[];
  readonly ports: readonly { readonly name?: string; readonly port: number }[];
}

export function slice(
  pod: string,
  labels: Record<string, string>,
  { port, name = 'http', address = '127.0.0.1' }: { port: number; name?: string; address?: string },
): SliceObject {
  return {
    metadata: { name: `slice-${pod}`, uid: `uid-${pod}`, labels },
    endpoints: [{ addresses: [address], conditions: { ready: true }, targetRef: { name: pod } }],
    ports: [{ name, port }],
  };
}

/**
 * An API server at the wire that knows EndpointSlices alone: lists and watches by labels, with one version for all. It forgets
 * what was before a moment when it is told to, refuses to be watched, ends watches, and is stopped and started again at its port.
 */
export interface SliceServer {
  readonly url: string;
  /** Query of each question, oldest first. */
  readonly asked: URLSearchParams[];
  readonly put: (object: SliceObject) => void;
  readonly remove: (uid: string) => void;
  /** Sends this to all who watch. */
  readonly send: (event: object) => void;
  readonly bookmark: () => void;
  /** Watches of before this moment are gone (410): by their next question, or by an event. */
  readonly forget: () => void;
  /** 0: may be watched; else the status of the refusal. */
  refuses: number;
  readonly watching: () => number;
  readonly endWatches: () => void;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

interface Watcher {
  readonly reply: ServerResponse;
  readonly matches: (object: SliceObject) => boolean;
}

interface Change {
  readonly version: number;
  readonly type: string;
  readonly object: SliceObject;
}

export async function startSliceServer(): Promise<SliceServer> {
  const objects = new Map<string, SliceObject>();
  const changes: Change[] = [];
  const watchers = new Set<Watcher>();
  const asked: URLSearchParams[] = [];
  let [version, forgotten, port] = [10, 0, 0];
  let server: Server;

  function versioned(object: SliceObject, at = version): object {
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(at) } };
  }
  function changed(type: string, object: SliceObject): void {
    version += 1;
    changes.push({ version, type, object });
    for (const one of watchers)
      if (one.matches(object)) one.reply.write(`${JSON.stringify({ type, object: versioned(object) })}\n`);
  }
  function answer(query: URLSearchParams, reply: ServerResponse): void {
    const matches = matcher(query.get('labelSelector') ?? '');
    if (query.get('watch') === null) {
      const items = [...objects.values()].filter(matches).map((one) => versioned(one));
      return json(reply, 200, { metadata: { resourceVersion: String(version) }, items });
    }
    const since = Number(query.get('resourceVersion'));
    if (one.refuses > 0) return json(reply, one.refuses, { code: one.refuses, message: 'nobody may watch.' });
    if (since < forgotten) return json(reply, 410, { code: 410, message: 'too old resource version' });
    reply.writeHead(200, { 'content-type': 'application/json' });
    reply.flushHeaders();
    for (const change of changes)
      if (change.version > since && matches(change.object))
        reply.write(
          `${JSON.stringify({ type: change.type, object: versioned(change.object, change.version) })}\n`,
        );
    const watcher = { reply, matches };
    watchers.add(watcher);
    reply.on('close', () => watchers.delete(watcher));
  }
  function listen(): Promise<void> {
    server = createServer((request, reply) => {
      const url = new URL(request.url ?? '', 'http://cluster');
      asked.push(url.searchParams);
      if (!url.pathname.endsWith('/endpointslices')) return json(reply, 404, { message: 'not found' });
      answer(url.searchParams, reply);
    });
    return new Promise<void>((done) => void server.listen(port, '127.0.0.1', () => done())).then(() => {
      port = (server.address() as AddressInfo).port;
    });
  }
  const one: SliceServer = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    asked,
    refuses: 0,
    put: (object) => {
      const type = objects.has(object.metadata.uid) ? 'MODIFIED' : 'ADDED';
      objects.set(object.metadata.uid, object);
      changed(type, object);
    },
    remove: (uid) => {
      const object = objects.get(uid);
      objects.delete(uid);
      if (object) changed('DELETED', object);
    },
    send: (event) => {
      for (const { reply } of watchers) reply.write(`${JSON.stringify(event)}\n`);
    },
    bookmark: () => {
      version += 5;
      one.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } });
    },
    forget: () => {
      version += 1;
      forgotten = version;
    },
    watching: () => watchers.size,
    endWatches: () => {
      for (const { reply } of watchers) reply.end();
    },
    stop: () => {
      const closed = new Promise<void>((done) => void server.close(() => done()));
      server.closeAllConnections();
      return closed;
    },
    start: listen,
  };
  await listen();
  return one;
}

/** The two forms of selectors that berth asks by: `a=b` and `a in (b,c)`. */
function matcher(selector: string): (object: SliceObject) => boolean {
  const [, key = '', equal, among] = /^(\S+?)(?:=(.*)| in \((.*)\))$/.exec(selector) ?? [];
  const values = equal === undefined ? (among ?? '').split(',') : [equal];
  return ({ metadata }) => values.includes(metadata.labels[key] ?? '');
}

function json(reply: ServerResponse, status: number, value: unknown): void {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** A kubeconfig with the context k3s for a server. */
export function kubeconfigFor(url: string): string {
  return `clusters: [{name: c, cluster: {server: "${url}"}}]
contexts: [{name: k3s, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: abc}}]
`;
}
