import { join, resolve } from 'node:path';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Browser } from 'playwright-core';
import { startTruthServer } from '../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../src/bench/truth/truth-server.ts';
import { makePlace, until } from './support/berth.ts';
import type { Place } from './support/berth.ts';
import { chromiumPath, launchBrowser, openWatched } from './support/browser.ts';

const root = resolve(import.meta.dirname, '..');
const missing = chromiumPath === null ? ' (skipped: chromium not on this machine)' : '';
const pictures = process.env['BERTH_SCREENSHOTS'];

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe.skipIf(missing !== '')(`the console and runs of others${missing}`, () => {
  let place: Place;
  let truth: TruthServer;
  let browser: Browser;
  let address = '';

  beforeAll(async () => {
    place = makePlace();
    truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
    await build({ root: join(root, 'console'), logLevel: 'error', build: { emptyOutDir: true } });
    place.write(`version: 1
fleet: watching
deployments: {truth: {engine: {kind: openai, url: ${JSON.stringify(truth.url)}}}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
`);
    place.spawn('up', '--ephemeral');
    address = await until(async () => (await place.berth('console')).stdout.trim(), 'the console');
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await place?.berth('down');
    await place?.close();
    await truth?.close(0);
  });

  test('a benchmark that another command started is shown with figures that move, then with the server at its side', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(address);
    await page.getByRole('link', { name: 'Runs' }).click();
    const model = JSON.stringify({ ttftMs: 20, itlMs: 5 });
    const load = ['--model', model, '--streams', '2', '--output-tokens', '8', '--prompt-tokens', '10'];
    const bench = place.spawn(
      'bench',
      truth.url,
      ...load,
      '--max-seconds',
      '12',
      '--no-calibrate',
      '--name',
      'elsewhere',
    );
    await page.getByRole('heading', { name: 'Running now: elsewhere' }).waitFor();
    await page.getByText(/measuring/).waitFor();
    async function done(): Promise<number> {
      return Number(/(\d+) requests? done/.exec(await page.getByText(/requests? done/).innerText())?.[1]);
    }
    const first = await done();
    await until(async () => (await done()) > first, 'a figure that moved');
    await page.getByText('Time to first token').waitFor();
    if (pictures) await page.screenshot({ path: join(pictures, 'foreign-running.png'), fullPage: true });
    await bench.exited;
    await page.getByRole('heading', { name: 'Running now: elsewhere' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'elsewhere' }).click();
    await page.getByRole('heading', { name: 'On the server' }).waitFor();
    await page
      .getByRole('img', { name: /^Processor/ })
      .locator('canvas')
      .waitFor();
    if (pictures) await page.screenshot({ path: join(pictures, 'server-side.png'), fullPage: true });
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
