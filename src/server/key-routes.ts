import { Hono } from 'hono';
import { z } from 'zod';
import { BerthError } from '../domain/errors/berth-error.ts';
import { jsonOf } from './bodies.ts';
import type { RouteEnv } from './bridge.ts';
import type { KeyPorts } from './ports.ts';

const dayMs = 24 * 3_600_000;
/** `graceMs`: how long the old secret stays good. */
const Rotation = z.strictObject({
  graceMs: z
    .int()
    .min(0)
    .max(400 * dayMs)
    .default(0),
});

/** Management of the gateway's keys, below /api/keys. The caller has checked the token. */
export function keyRoutes(keys: KeyPorts): Hono<{ Bindings: RouteEnv }> {
  const api = new Hono<{ Bindings: RouteEnv }>();
  api.get('/', async (c) => c.json({ keys: await keys.list() }));
  api.get('/usage', async (c) => c.json(await keys.usage()));
  api.post('/', async (c) => c.json(await keys.add(await jsonOf(c.env.inbound)), 201));
  api.post('/take-in', async (c) => {
    await keys.takeIn();
    return c.json({ inForce: true });
  });
  api.post('/:id/rotate', async (c) => {
    const parsed = Rotation.safeParse(await jsonOf(c.env.inbound));
    if (!parsed.success)
      throw new BerthError('CONTROL_BODY_REFUSED', { reason: 'it wants {"graceMs": milliseconds}' });
    return c.json(await keys.rotate(c.req.param('id'), parsed.data.graceMs));
  });
  api.delete('/:id', async (c) => c.json(await keys.revoke(c.req.param('id'))));
  return api;
}
