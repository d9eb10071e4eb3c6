import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startFakeUpstream, wellBehaved } from './gateway/fake-upstream.ts';
import type { FakeUpstream } from './gateway/fake-upstream.ts';
import { postChat } from './gateway/harness.ts';
import { makePlace, until } from './support/berth.ts';
import type { Place } from './support/berth.ts';
import { chromiumPath, launchBrowser, openWatched } from './support/browser.ts';

const root = resolve(import.meta.dirname, '..');
const missing = chromiumPath === null ? ' (skipped: no chromium on this machine; set CHROMIUM)' : '';
/** With BERTH_SCREENSHOTS=FOLDER the page is kept as pictures to look at. */
const pictures = process.env['BERTH_SCREENSHOTS'];

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe.skipIf(missing !== '')(`the keys in the console of a real fleet${missing}`, () => {
  let place: Place;
  let upstream: FakeUpstream;
  let browser: Browser;
  let gateway = '';
  let address = '';

  beforeAll(async () => {
    place = makePlace();
    upstream = await startFakeUpstream(wellBehaved);
    await build({ root: join(root, 'console'), logLevel: 'error', build: { emptyOutDir: true } });
    place.write(`version: 1
fleet: keys-test
deployments:
  small: {engine: {kind: openai, url: "${upstream.url}", servedModel: small}}
  large: {engine: {kind: openai, url: "${upstream.url}", servedModel: large}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
`);
    place.spawn('up');
    address = await until(async () => (await place.berth('console')).stdout.trim(), 'the console');
    const status = (await place.berth('status', '--json')).json() as { gateway: { url: string } };
    gateway = status.gateway.url;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await place?.berth('down');
    await place?.close();
    await upstream?.stop();
  });

  async function ask(key: string | undefined, model: string): Promise<number> {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    return (await postChat(gateway, { model }, { headers })).status;
  }

  async function madeKey(page: Page, name: string): Promise<string> {
    return (await page.getByLabel(`The key of ${name}`, { exact: true }).textContent()) ?? '';
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }

  test('a key is made, shown once, counted by model, rotated and revoked, and each holds in the gateway at once', async () => {
    const { page, faults } = await openWatched(browser);
    await page.goto(address);
    await page.getByRole('link', { name: 'Keys' }).click();
    await page.getByRole('heading', { name: 'No keys yet' }).waitFor();
    expect(await ask(undefined, 'small')).toBe(200);

    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('laptop');
    await page.getByLabel('Expires').selectOption('In 30 days');
    await page.getByLabel('Requests per minute').fill('1000');
    await page.getByLabel('Tokens per day').fill('5000000');
    await page.getByLabel('Dollars per month').fill('12.5');
    await page.getByRole('checkbox', { name: 'small' }).check();
    await picture(page, 'keys-form');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('shown this once').waitFor();
    const made = (await place.berth('keys', 'list', '--json')).json() as {
      keys: { name: string; limits: unknown }[];
    };
    expect(made.keys.find(({ name }) => name === 'laptop')?.limits).toEqual({
      rpm: 1000,
      budget: { day: { tokens: 5_000_000 }, month: { usd: 12.5 } },
    });
    const key = await madeKey(page, 'laptop');
    expect(key).toMatch(/^sk-berth-/);
    await picture(page, 'keys-made');
    expect([await ask(undefined, 'small'), await ask(key, 'small'), await ask(key, 'large')]).toEqual([
      401, 200, 403,
    ]);

    const used = page.getByRole('row', { name: /^laptop small 1 0 / });
    await used.waitFor();
    // Seven tokens of the prompt and three of the answer, as the engine counted them.
    await page.getByRole('row', { name: /^laptop 10 of 5,000,000 0 10 0 of 12\.5$/ }).waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.reload();
    await page.getByRole('row', { name: /^laptop active small 1000 requests\/min/ }).waitFor();
    expect(await page.content()).not.toContain(key);
    await picture(page, 'keys-list');

    await page.getByRole('button', { name: 'Rotate laptop' }).click();
    await page.getByLabel('Old secret of laptop ends').selectOption('in an hour');
    await page.getByRole('button', { name: 'Rotate now' }).click();
    await page.getByText('The old one is good until').waitFor();
    const turned = await madeKey(page, 'laptop');
    expect([turned !== key, await ask(key, 'small'), await ask(turned, 'small')]).toEqual([true, 200, 200]);

    await page.getByRole('button', { name: 'Revoke laptop' }).click();
    await page.getByRole('button', { name: 'Revoke laptop now' }).click();
    await page.getByRole('heading', { name: 'No keys yet' }).waitFor();
    expect([await ask(key, 'small'), await ask(turned, 'small')]).toEqual([401, 401]);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a name that is taken is told with its cure, and the form stays', async () => {
    await place.berth('keys', 'add', 'taken', '--day-usd', '2');
    const { page } = await openWatched(browser);
    await page.goto(address);
    await page.getByRole('link', { name: 'Keys' }).click();
    await page.getByRole('row', { name: /^taken active all 2 USD a day never/ }).waitFor();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('taken');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('There is a key "taken" already.').waitFor();
    await page.getByText('berth keys rotate taken').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('taken');
    await page.context().close();
  });

  test.each([
    ['dark', { colorScheme: 'dark' as const }],
    ['narrow', { viewport: { width: 390, height: 844 } }],
  ])('the page keeps its form when it is %s', async (name, options) => {
    await place.berth('keys', 'add', `robot-${name}`, '--model', 'small', '--model', 'large', '--control');
    const { page, faults } = await openWatched(browser, options);
    await page.goto(address);
    await page.getByRole('link', { name: 'Keys' }).click();
    await page.getByRole('row', { name: new RegExp(`robot-${name}.*small, large`) }).waitFor();
    await page.getByRole('button', { name: `Rotate robot-${name}` }).click();
    await page.getByRole('button', { name: 'Rotate now' }).waitFor();
    await picture(page, `keys-${name}`);
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect([overflow, faults]).toEqual([0, []]);
    await page.context().close();
  });
});
