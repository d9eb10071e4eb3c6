import { Hono } from 'hono';
import { BerthError } from '../domain/errors/berth-error.ts';
import { bodyOf } from './bodies.ts';
import type { RouteEnv } from './bridge.ts';
import { eventStream } from './event-stream.ts';
import type { Feed } from './feed.ts';
import { askGateway } from './gateway-proxy.ts';
import { keyRoutes } from './key-routes.ts';
import type { ControlPorts } from './ports.ts';
import { requestRoutes } from './request-routes.ts';
import { trafficRoutes } from './traffic-routes.ts';
import type { Tickets } from './tickets.ts';

const chatBodyBytes = 16 * 1024 * 1024;
const logLines = { usual: 500, most: 5_000 };

/** What the page and other programs may ask for, below /api. The caller has checked the token. */
export function apiRoutes(ports: ControlPorts, feed: Feed, tickets: Tickets): Hono<{ Bindings: RouteEnv }> {
  const api = new Hono<{ Bindings: RouteEnv }>();
  api.get('/status', async (c) => c.json(await ports.status()));
  api.get('/events', () => eventStream(feed));
  api.get('/runs', async (c) => c.json({ runs: await ports.runs() }));
  api.get('/runs/:id', async (c) => c.json(found(await ports.report(c.req.param('id')), 'run')));
  api.get('/runs/:id/report.html', async (c) =>
    reportPage(found(await ports.reportHtml(c.req.param('id')), 'report')),
  );
  api.post('/runs/:id/report-link', async (c) => {
    const id = c.req.param('id');
    found(await ports.reportHtml(id), 'report');
    return c.json({ path: `/report/${tickets.issue(id)}` });
  });
  api.get('/logs/:deployment', async (c) => {
    const wanted = Math.trunc(Number(c.req.query('lines'))) || logLines.usual;
    const lines = Math.min(Math.max(wanted, 1), logLines.most);
    return c.json({ lines: found(await ports.logs(c.req.param('deployment'), lines), 'deployment') });
  });
  api.get('/models', (c) =>
    askGateway(ports.gateway(), { method: 'GET', path: '/v1/models', signal: c.env.inbound.closed }),
  );
  api.post('/chat', async (c) =>
    askGateway(ports.gateway(), {
      method: 'POST',
      path: '/v1/chat/completions',
      body: await bodyOf(c.env.inbound, chatBodyBytes),
      signal: c.env.inbound.closed,
    }),
  );
  api.route('/traffic', trafficRoutes(ports.traffic));
  api.route('/requests', requestRoutes(ports.requests));
  api.get('/captures', async (c) => c.json(await ports.requests.captures()));
  api.get('/captures/:id', async (c) => c.json(await ports.requests.capture(c.req.param('id'))));
  api.route('/keys', keyRoutes(ports.keys));
  return api;
}

/** The page of a report, under a policy of its own that `securityHeaders` must not replace. */
export function reportPage(html: string): Response {
  return new Response(html, {
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': reportPolicy },
  });
}

/** One page with its script inside. The sandbox gives it an origin of its own, so that it cannot reach the console's token. */
const reportPolicy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-downloads";

function found<Value>(value: Value | null, what: string): Value {
  if (value === null) throw new BerthError('CONTROL_NOT_FOUND', { what });
  return value;
}
