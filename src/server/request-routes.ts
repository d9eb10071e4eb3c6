import { Hono } from 'hono';
import type { RouteEnv } from './bridge.ts';
import type { RequestPorts } from './ports.ts';

/** The requests under way in the gateway: GET lists them, DELETE /ID ends one. */
export function requestRoutes(ports: RequestPorts): Hono<{ Bindings: RouteEnv }> {
  const api = new Hono<{ Bindings: RouteEnv }>();
  api.get('/', async (c) => c.json(await ports.list()));
  api.delete('/:id', async (c) => {
    await ports.cancel(c.req.param('id'));
    return c.json({});
  });
  return api;
}
