import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makePlace, until } from './support/berth.ts';
import type { Place } from './support/berth.ts';
import { chromiumPath, launchBrowser, openWatched } from './support/browser.ts';

const root = resolve(import.meta.dirname, '..');
const lacks = [
  ...(chromiumPath === null ? ['chromium'] : []),
  ...(existsSync(join(root, 'node_modules/node-llama-cpp')) ? [] : ['node-llama-cpp']),
];
const missing = lacks.length === 0 ? '' : ` (skipped: ${lacks.join(' and ')} not on this machine)`;
const pictures = process.env['BERTH_SCREENSHOTS'];

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe.skipIf(missing !== '')(`the console of a real fleet${missing}`, () => {
  let place: Place;
  let browser: Browser;
  let address = '';

  beforeAll(async () => {
    place = makePlace();
    await build({ root: join(root, 'console'), logLevel: 'error', build: { emptyOutDir: true } });
    await place.berth('dev', 'make-model', '--params', '1M', '--out', 'model.gguf');
    place.write(fleetFile);
    place.spawn('up', '--ephemeral', '--bench');
    address = await until(async () => (await place.berth('console')).stdout.trim(), 'the console');
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await place?.berth('down');
    await place?.close();
  });

  test('a benchmark is watched while it runs and is in the list with its charts when it is over', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(address);
    await page.getByRole('link', { name: 'Runs' }).click();
    await page.getByRole('heading', { name: 'Running now: quick' }).waitFor();
    await page.getByText(/measuring/).waitFor();
    if (pictures) await page.screenshot({ path: join(pictures, 'real-running.png') });
    await page.getByRole('link', { name: 'quick' }).click();
    for (const name of [/^Output rate/, /^Time to first token/, /^Gap between tokens/])
      await page.getByRole('img', { name }).locator('canvas').waitFor();
    await page.getByRole('row', { name: /^2 streams/ }).waitFor();
    const tab = page.context().waitForEvent('page');
    await page.getByRole('link', { name: 'Open the full report' }).click();
    const report = await tab;
    report.on('pageerror', (error) => faults.push(`exception in the report: ${error.message}`));
    report.on('console', (message) => faults.push(`console of the report: ${message.text()}`));
    // A tab that has not gone anywhere yet cannot be loaded again.
    await report.waitForURL(/^http/);
    await report.reload();
    await report.getByText('quick').first().waitFor();
    if (pictures) await report.screenshot({ path: join(pictures, 'real-report.png'), fullPage: true });
    if (pictures) await page.screenshot({ path: join(pictures, 'real-run.png'), fullPage: true });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('berth console prints an address whose page shows the fleet, chats with its engine, and shows its log', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(address);
    await page.getByText('1 of 1 replica ready').waitFor();
    await page.getByText('0 of 2 busy').waitFor();
    await page.getByRole('link', { name: 'Try random' }).click();
    await page.getByRole('option', { name: 'random' }).waitFor({ state: 'attached' });
    await page.getByRole('textbox', { name: 'Message' }).fill('Say something');
    await page.keyboard.press('Enter');
    await page.getByText(/tokens\/s/).waitFor();
    await page.getByText(/\d+ prompt tokens/).waitFor();
    if (pictures) await page.screenshot({ path: join(pictures, 'real-chat.png') });
    await page.getByRole('link', { name: 'Logs' }).click();
    await page.getByText('"event":"ready"').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a request under way is in the list, and ending it there frees its slot and tells the client', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(address);
    await page.getByText('1 of 1 replica ready').waitFor();
    await page.evaluate(`void (window.told = fetch('/api/chat', {
      method: 'POST',
      headers: { authorization: 'Bearer ' + sessionStorage.getItem('berth-token') },
      body: ${JSON.stringify(JSON.stringify(endless))},
    }).then((reply) => reply.text()))`);
    await page.getByRole('link', { name: 'Requests' }).click();
    const row = page.getByRole('row', { name: /random.*replying/ });
    await row.waitFor();
    if (pictures) await page.screenshot({ path: join(pictures, 'real-requests.png'), fullPage: true });
    await row.getByRole('button', { name: /^End request/ }).click();
    await page.getByText('Nothing is under way').waitFor();
    expect(await page.evaluate('window.told')).toContain('"code":"request_cancelled"');
    await page.getByRole('link', { name: 'Fleet' }).click();
    await page.getByText('0 of 2 busy').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('what the gateway captured is shown, without the secrets', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(address);
    await page.getByText('1 of 1 replica ready').waitFor();
    const reply = await page.evaluate(`fetch('/api/chat', {
      method: 'POST',
      headers: { authorization: 'Bearer ' + sessionStorage.getItem('berth-token') },
      body: ${JSON.stringify(JSON.stringify({ ...endless, max_tokens: 3, messages: [{ role: 'user', content: 'Ahoy there' }] }))},
    }).then((reply) => reply.headers.get('x-request-id'))`);
    await page.getByRole('link', { name: 'Requests' }).click();
    await page.getByRole('button', { name: String(reply), exact: true }).click();
    await page.getByText('Ahoy there').waitFor();
    await page.getByText('[redacted]').first().waitFor();
    if (pictures) await page.screenshot({ path: join(pictures, 'real-captures.png'), fullPage: true });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('closing the page in the middle of an answer frees the slot', async () => {
    const { page } = await openWatched(browser);
    const watcher = await openWatched(browser);
    await watcher.page.goto(address);
    await page.goto(address);
    await page.getByText('1 of 1 replica ready').waitFor();
    // Random weights may end an answer at any token; this one goes on until it is given up.
    await page.evaluate(`void fetch('/api/chat', {
      method: 'POST',
      headers: { authorization: 'Bearer ' + sessionStorage.getItem('berth-token') },
      body: ${JSON.stringify(JSON.stringify(endless))},
    })`);
    await watcher.page.getByText('1 of 2 busy').waitFor();
    await page.context().close();
    await watcher.page.getByText('0 of 2 busy').waitFor();
    expect(watcher.faults).toEqual([]);
    await watcher.page.context().close();
  });
});

const endless = {
  model: 'random',
  stream: true,
  ignore_eos: true,
  max_tokens: 8000,
  messages: [{ role: 'user', content: 'Go on' }],
};

const fleetFile = `version: 1
fleet: browser-test
models: {random: {source: ./model.gguf}}
deployments:
  random: {model: random, engine: {kind: embedded, slots: 2, context: 8192}}
gateway: {listen: ["127.0.0.1:0"], capture: {}}
console: {listen: "127.0.0.1:0"}
benchmarks:
  quick:
    of: random
    profile: {kind: concurrent, streams: [1, 2]}
    data: {kind: synthetic, prompt: 64, output: 32}
    seconds: 5
    warmup: 1
    ignoreEos: true
`;
