import { Hono } from 'hono';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { World } from '../io/world.ts';
import { apiRoutes, reportPage } from './api-routes.ts';
import { assetReply } from './assets.ts';
import type { RouteEnv } from './bridge.ts';
import { errorReply } from './error-reply.ts';
import type { Feed } from './feed.ts';
import { originRefusal, tokenRefusal } from './guard.ts';
import type { OwnNames } from './guard.ts';
import type { ControlPorts } from './ports.ts';
import { secured } from './security-headers.ts';
import { createTickets } from './tickets.ts';

export interface AppOptions {
  readonly token: string;
  readonly names: OwnNames;
  /** Folder of the built console; null when it is not built: the API alone. */
  readonly assetsDir: string | null;
  readonly ports: ControlPorts;
  readonly feed: Feed;
}

/** All routes of the control server as one fetch-style function. It never rejects; faults become JSON errors. */
export function controlApp(
  world: World,
  options: AppOptions,
): (request: Request, env: RouteEnv) => Promise<Response> {
  const tickets = createTickets(world.clock);
  const app = new Hono<{ Bindings: RouteEnv }>();
  // The guard is a route of the same router as the API: no spelling of a path can reach one and miss the other.
  app.use('/api/*', async (c, next) => {
    const refused = tokenRefusal(c.env.inbound, options.token);
    if (refused) throw refused;
    await next();
  });
  app.route('/api', apiRoutes(options.ports, options.feed, tickets));
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/report/:ticket', async (c) => {
    const run = tickets.redeem(c.req.param('ticket'));
    const html = run === null ? null : await options.ports.reportHtml(run);
    if (html === null) throw new BerthError('CONTROL_NOT_FOUND', { what: 'report (links last ten minutes)' });
    return reportPage(html);
  });
  app.get('*', async (c) => {
    if (options.assetsDir === null && c.req.path === '/')
      throw new BerthError('NOT_BUILT', { what: 'The console', path: 'dist/console' });
    const asset = options.assetsDir && (await assetReply(world.files, options.assetsDir, c.req.path));
    if (!asset) throw new BerthError('CONTROL_NOT_FOUND', { what: 'page' });
    return asset;
  });
  app.notFound(() => jsonError(new BerthError('CONTROL_NOT_FOUND', { what: 'such request' })));
  app.onError((error) => {
    if (!(error instanceof BerthError))
      world.log.error('The control server failed on a request', { reason: error.message });
    return jsonError(error);
  });

  return async (request, env) => {
    const refused = originRefusal(env.inbound, options.names);
    return secured(refused ? jsonError(refused) : await app.fetch(request, env));
  };
}

function jsonError(error: unknown): Response {
  const { status, body } = errorReply(error);
  return new Response(body, { status, headers: { 'content-type': 'application/json' } });
}
