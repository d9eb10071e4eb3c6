import { Hono } from 'hono';
import { BerthError } from '../domain/errors/berth-error.ts';
import { TrafficStep } from '../fleet/apply/traffic.ts';
import type { Traffic } from '../fleet/apply/traffic.ts';
import type { RouteEnv } from './bridge.ts';
import { jsonBody } from './json-body.ts';

/** Where `berth apply`, run beside `berth up`, moves requests out of the way of what it changes. */
export function trafficRoutes(traffic: Traffic): Hono<{ Bindings: RouteEnv }> {
  const api = new Hono<{ Bindings: RouteEnv }>();
  api.post('/', async (c) => {
    const step = TrafficStep.safeParse(await jsonBody(c.env.inbound));
    if (!step.success)
      throw new BerthError('CONTROL_BODY_REFUSED', { reason: 'it is no step of moving traffic' });
    return c.json(await traffic(step.data));
  });
  return api;
}
