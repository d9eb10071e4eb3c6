import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FleetStatus } from '../src/domain/fleet-status.ts';
import type { RunProgress } from '../src/domain/run-progress.ts';
import type { ControlServer } from '../src/server/control-server.ts';
import { chromiumPath, launchBrowser, openWatched } from './support/browser.ts';
import { startTestControl } from './support/control.ts';
import { exampleReport, exampleSummary } from './support/example-report.ts';
import { startFakeGateway } from './support/fake-gateway.ts';
import type { FakeGateway } from './support/fake-gateway.ts';
import { exampleStatus } from './support/fleet-status.ts';

const missing = chromiumPath === null ? ' (skipped: no chromium on this machine; set CHROMIUM)' : '';
/** With BERTH_SCREENSHOTS=FOLDER the pages are kept as pictures to look at. */
const pictures = process.env['BERTH_SCREENSHOTS'];

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe.skipIf(missing !== '')(`the console in a real browser${missing}`, () => {
  const report = exampleReport();
  let folder = '';
  let browser: Browser;
  let gateway: FakeGateway;
  let control: ControlServer;
  let status: FleetStatus = exampleStatus();
  let tell: ((progress: RunProgress) => void) | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-console-'));
    const root = join(import.meta.dirname, '../console');
    await build({ root, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } });
    browser = await launchBrowser();
    gateway = await startFakeGateway(['assistant', 'default']);
    control = await startTestControl(
      {
        status: async () => status,
        runs: async () => [exampleSummary(report)],
        report: async (id) => (id === report.id ? report : null),
        reportHtml: async () => '<!doctype html><title>The report</title><p>All figures</p>',
        logs: async () => ['loading model', 'server is listening on http://127.0.0.1:18400'],
        gateway: () => ({ url: gateway.url, key: 'console-key', keyNeeded: true }),
        onProgress: (listener) => {
          tell = listener;
          return () => {};
        },
      },
      { assetsDir: folder },
    );
  });
  afterAll(async () => {
    await browser?.close();
    await control?.close();
    await gateway?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  async function picture(page: Page, name: string): Promise<void> {
    if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }
  function at(hash: string): string {
    return `${control.url}/${hash}`;
  }

  test('the token leaves the address bar, and the fleet is shown and follows the world', async () => {
    const { page, faults } = await openWatched(browser);
    status = exampleStatus();
    await page.goto(opened(control));
    await page.getByRole('heading', { name: 'Fleet' }).waitFor();
    expect(page.url()).toBe(at('#/fleet'));
    const assistant = page.getByRole('article', { name: 'assistant' });
    await assistant.getByText('ready').waitFor();
    await assistant.getByText('starting').waitFor();
    await page.getByText('1 of 3 replicas ready').waitFor();
    await page.getByText('http://127.0.0.1:8484/v1', { exact: true }).waitFor();
    gateway.metrics =
      'berth_gateway_inflight{deployment="assistant",upstream="assistant-0"} 3\n' +
      'berth_gateway_queue_depth{deployment="assistant"} 2\n';
    await assistant.getByText('3 of 4 busy').waitFor();
    await assistant.getByText('2 requests waiting').waitFor();
    await picture(page, 'fleet');
    status = exampleStatus({ deployments: [], routes: [] });
    await page.getByRole('heading', { name: 'This fleet has no deployments yet' }).waitFor();
    await picture(page, 'fleet-empty');
    status = exampleStatus({ findings: [exampleFinding()] });
    await page.getByText('two replicas share one GPU').waitFor();
    await page.reload();
    await page.getByText('two replicas share one GPU').waitFor();
    await picture(page, 'fleet-findings');
    const service = { name: 'granite', state: 'not ready', reason: 'Stopped', url: null, model: 'hf://a/b' };
    const unseen = { host: 'k3s', namespace: 'hidden', services: [], unseen: 'bob cannot list them.' };
    const seen = { host: 'ocp', namespace: 'llm', services: [service], unseen: null };
    status = FleetStatus.parse({ ...exampleStatus(), llmServices: [seen, unseen] });
    const told = page.getByRole('region', { name: 'LLMInferenceServices of ocp (namespace llm)' });
    await told.getByRole('row', { name: 'granite not ready (Stopped) - hf://a/b' }).waitFor();
    await page.getByText('They are not seen: bob cannot list them.').waitFor();
    await picture(page, 'fleet-llm-services');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('an answer appears token by token before it has ended, with its speed, and the talk goes on', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(opened(control));
    await page.getByRole('link', { name: 'Playground' }).click();
    const message = page.getByRole('textbox', { name: 'Message' });
    await page.getByRole('option', { name: 'assistant' }).waitFor({ state: 'attached' });
    await page.getByLabel('System prompt').fill('Be brief.');
    await message.fill('What is a berth?');
    await message.press('Enter');
    const chat = await vi.waitUntil(() => gateway.chats.at(-1));
    await page.getByText('Waiting for the first token').waitFor();
    chat.token('A place ');
    await page.getByText('A place').waitFor();
    chat.token('to lie safely:\n```\nberth up\n```\n');
    await page.getByText('to lie safely').waitFor();
    expect(await page.getByRole('log').getAttribute('aria-busy')).toBe('true');
    await picture(page, 'playground-streaming');
    chat.finish({ prompt: 21, completion: 9 });
    await page.getByText(/tokens\/s/).waitFor();
    await page.getByText('21 prompt tokens').waitFor();
    expect(chat.body.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'What is a berth?' },
    ]);
    await message.fill('And then?');
    await page.getByRole('button', { name: 'Send' }).click();
    await vi.waitUntil(() => gateway.chats.length === 2);
    expect(gateway.chats[1]?.body.messages.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
    ]);
    gateway.chats[1]?.token('Cargo.');
    gateway.chats[1]?.finish();
    await page.getByText('Cargo.').waitFor();
    await picture(page, 'playground');
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('Cargo.').waitFor({ state: 'detached' });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('Stop ends the answer at the gateway, and a refusal is shown with its cause', async () => {
    const { page } = await openWatched(browser);
    await page.goto(opened(control));
    await page.goto(at('#/playground/default'));
    const message = page.getByRole('textbox', { name: 'Message' });
    await page.getByRole('option', { name: 'default' }).waitFor({ state: 'attached' });
    const before = gateway.chats.length;
    await message.fill('Count to a million');
    await message.press('Enter');
    const chat = await vi.waitUntil(() => gateway.chats[before]);
    expect(chat.body.model).toBe('default');
    chat.token('1 2 3');
    await page.getByText('1 2 3').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await vi.waitUntil(() => chat.left.aborted);
    await page.getByText('stopped by you').waitFor();
    await message.fill('Again');
    await message.press('Enter');
    const refused = await vi.waitUntil(() => gateway.chats[before + 1]);
    refused.fail(429, {
      message: 'The queue of this model is full.',
      type: 'rate_limit',
      code: 'queue_full',
    });
    await page.getByRole('alert').getByText('The queue of this model is full.').waitFor();
    await picture(page, 'playground-error');
    await message.fill('Once more');
    await message.press('Enter');
    const broken = await vi.waitUntil(() => gateway.chats[before + 2]);
    broken.token('Half of');
    await page.getByText('Half of').waitFor();
    broken.cut();
    await expect.poll(() => page.getByRole('alert').count()).toBe(2);
    await page.context().close();
  });

  test('a run is shown with its charts, its figures and a link to the whole report', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(opened(control));
    await page.getByRole('link', { name: 'Runs' }).click();
    tell?.({ type: 'run-started', id: 'r2', folder: '/runs/r2', name: 'nightly' });
    await page.getByText('Running now: nightly').waitFor();
    await picture(page, 'runs');
    await page.getByRole('link', { name: 'levels' }).click();
    for (const name of [/^Output rate in tokens/, /^Time to first token in ms/, /^Gap between tokens/])
      await page.getByRole('img', { name }).locator('canvas').waitFor();
    expect(await page.getByRole('row', { name: /^4 streams/ }).textContent()).toContain('83.1');
    await page.getByText('67 % efficient').waitFor();
    await picture(page, 'run');
    const tab = page.context().waitForEvent('page');
    await page.getByRole('link', { name: 'Open the full report' }).click();
    await (await tab).getByText('All figures').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('the log of a deployment is shown and filtered', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(opened(control));
    await page.getByRole('article', { name: 'assistant' }).getByRole('link', { name: 'Logs' }).click();
    await page.getByText('loading model').waitFor();
    await picture(page, 'logs');
    await page.getByRole('searchbox').fill('listening');
    await page.getByText('loading model').waitFor({ state: 'detached' });
    await page.getByText('server is listening').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('dark colours and a narrow window hold every page without a sideways scroll', async () => {
    const { page, faults } = await openWatched(browser, {
      colorScheme: 'dark',
      viewport: { width: 390, height: 844 },
    });
    status = exampleStatus({ findings: [exampleFinding()] });
    await page.goto(opened(control));
    await page.getByRole('article', { name: 'cloud' }).waitFor();
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(15, 19, 24)');
    for (const [hash, heading] of [
      ['#/fleet', 'Fleet'],
      ['#/playground', 'Playground'],
      ['#/runs', 'Runs'],
      [`#/runs/${report.id}`, 'levels'],
      ['#/logs/assistant', 'Logs'],
    ] as const) {
      await page.goto(at(hash));
      await page.getByRole('heading', { name: heading, exact: true }).waitFor();
      await picture(page, `narrow-${heading}`);
      const width = await page.evaluate('document.documentElement.scrollWidth');
      expect(width, hash).toBeLessThanOrEqual(390);
    }
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('dark colours are drawn in charts too, and the choice of colours is kept', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(opened(control));
    await page.getByLabel('Colours').selectOption('dark');
    await page.goto(at(`#/runs/${report.id}`));
    await page
      .getByRole('img', { name: /^Output rate/ })
      .locator('canvas')
      .waitFor();
    await picture(page, 'run-dark');
    await page.reload();
    expect(await page.getByLabel('Colours').inputValue()).toBe('dark');
    await page.goto(at('#/fleet'));
    await page.getByRole('article', { name: 'cloud' }).waitFor();
    await picture(page, 'fleet-dark');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a page that loses its server says so, keeps the last state, and goes on when the server is back', async () => {
    const { page } = await openWatched(browser);
    const first = await startTestControl({}, { assetsDir: folder });
    await page.goto(opened(first));
    await page.getByRole('article', { name: 'assistant' }).waitFor();
    await first.close();
    await page.getByRole('status').filter({ hasText: 'Connection lost' }).first().waitFor();
    expect(await page.getByRole('article', { name: 'assistant' }).count()).toBe(1);
    await picture(page, 'fleet-lost');
    const listen = { address: '127.0.0.1', port: first.port };
    const second = await startTestControl(
      { status: async () => exampleStatus({ fleet: 'again' }) },
      { assetsDir: folder, listen },
    );
    await page.getByText('again').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await second.close();
    await page.context().close();
  });

  test('without a valid token the page asks for one', async () => {
    const { page } = await openWatched(browser);
    await page.goto(control.url);
    await page.getByRole('heading', { name: 'This tab has no valid token' }).waitFor();
    await picture(page, 'sign-in');
    await page.getByLabel('Token or address').fill('wrong');
    await page.getByRole('button', { name: 'Open the console' }).click();
    await page.getByRole('heading', { name: 'This tab has no valid token' }).waitFor();
    await page.getByLabel('Token or address').fill(opened(control));
    await page.getByRole('button', { name: 'Open the console' }).click();
    await page.getByRole('heading', { name: 'Fleet' }).waitFor();
    expect(page.url()).not.toContain(control.token);
    await page.context().close();
  });
});

/** The address as people are given it. */
function opened(server: ControlServer): string {
  return `${server.url}/#token=${server.token}`;
}

function exampleFinding(): FleetStatus['findings'][number] {
  return {
    rule: 'gpu-shared',
    severity: 'warning',
    object: 'assistant',
    message: 'two replicas share one GPU',
    evidence: ['GPU 0: assistant-0, assistant-1'],
    cure: 'Give each replica a GPU of its own, or set replicas: 1.',
  };
}
