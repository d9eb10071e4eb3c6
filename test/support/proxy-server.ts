import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ProxyServer {
  /** With the name and password that it wants, where it wants some. */
  readonly url: string;
  /** "CONNECT HOST:PORT", or method and address of a request that it passed on. */
  readonly asked: string[];
  /** Takes requests for a tunnel and answers none. */
  silent: boolean;
  /** Connections of those who asked for a tunnel. */
  readonly open: () => number;
  readonly stop: () => Promise<void>;
}

export interface ProxyOptions {
  /** "NAME:PASSWORD", as `url` has them. */
  readonly wants?: string;
  /** It is asked by TLS itself. */
  readonly tls?: { readonly key: Buffer; readonly cert: string };
}

/** A proxy on loopback to which every name is this machine. */
export async function startProxy({ wants, tls }: ProxyOptions = {}): Promise<ProxyServer> {
  const tunnels = new Set<Duplex>();
  const lets =
    wants === undefined ? null : `Basic ${Buffer.from(decodeURIComponent(wants)).toString('base64')}`;
  function refuses({ headers }: http.IncomingMessage): boolean {
    return lets !== null && headers['proxy-authorization'] !== lets;
  }
  function pass(request: http.IncomingMessage, reply: http.ServerResponse): void {
    if (refuses(request)) return void reply.writeHead(407, { 'proxy-authenticate': 'Basic' }).end();
    self.asked.push(`${request.method} ${request.url}`);
    const { port, pathname, search } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const onward = http.request(
      { host: '127.0.0.1', port, path: pathname + search, method: request.method, headers },
      (answer) => {
        reply.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(reply);
      },
    );
    onward.on('error', () => reply.destroy());
    request.pipe(onward);
  }
  const server = tls === undefined ? http.createServer(pass) : https.createServer(tls, pass);
  server.on('connect', (request, socket, head) => {
    tunnels.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => tunnels.delete(socket));
    socket.on('end', () => socket.destroy());
    if (self.silent) socket.resume();
    if (self.silent) return;
    if (refuses(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n');
      return;
    }
    self.asked.push(`CONNECT ${request.url}`);
    const onward = net.connect(Number(/\d+$/.exec(request.url ?? '')?.[0]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    tunnels.add(onward);
    onward.once('close', () => tunnels.delete(onward));
    onward.on('error', () => socket.destroy());
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const self: ProxyServer = {
    url: `${tls ? 'https' : 'http'}://${wants === undefined ? '' : `${wants}@`}127.0.0.1:${port}`,
    asked: [],
    silent: false,
    open: () => tunnels.size,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
        for (const tunnel of tunnels) tunnel.destroy();
      }),
  };
  return self;
}
