import { expect, test } from 'vitest';
import { calendarLines, cronFault, CronText, kubeCron } from './cron.ts';

test.each([
  ['0 2 * * *', ['*-*-* 02:00:00']],
  ['*/15 8-18 * * 1-5', ['Mon,Tue,Wed,Thu,Fri *-*-* 08..18:00/15:00']],
  ['5,35 */6 1 */3 *', ['*-01/3-01 00/6:05,35:00']],
  ['0 0 1 * 0', ['*-*-01 00:00:00', 'Sun *-*-* 00:00:00']],
  ['0 0 * 6-8/2 7', ['Sun *-06..08/2-* 00:00:00']],
  ['0 0 * * */2', ['Sun,Tue,Thu,Sat *-*-* 00:00:00']],
])('%s is %j for systemd', (cron, lines) => {
  expect(cronFault(cron)).toBeNull();
  expect(calendarLines(cron)).toEqual(lines);
});

test.each([
  ['0 2 * *', 'It has 4 fields, and cron has five.'],
  ['60 2 * * *', '"60" is no minute.'],
  ['0 5-2 * * *', '"5-2" is no hour.'],
  ['0 2 0 * *', '"0" is no day of the month.'],
  ['0 2 * * MON', '"MON" is no day of the week.'],
  ['0 2 * * */0', '"*/0" is no day of the week.'],
])('%s is refused: %s', (cron, fault) => {
  expect(cronFault(cron)).toBe(fault);
  expect(CronText.safeParse(cron).success).toBe(false);
});

test.each([
  ['0 2 * * *', '0 2 * * *'],
  ['*/15 8-18 1 * 1-5', '*/15 8-18 1 * 1-5'],
  ['0 2 * * 7', '0 2 * * 0'],
  ['0 2 * * 5-7', '0 2 * * 0,5,6'],
  ['0 2 * 7 0,7', '0 2 * 7 0'],
])('%s is %s for a CronJob, which refuses a seventh day', (cron, kube) => {
  expect(cronFault(kube)).toBeNull();
  expect(kubeCron(cron)).toBe(kube);
});
