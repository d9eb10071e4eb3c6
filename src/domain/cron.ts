import { z } from 'zod';

const fields = [
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day of the month', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12 },
  { name: 'day of the week', from: 0, to: 7 },
] as const;

const part = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/([1-9]\d*))?$/;

/** What is wrong with a schedule, as a sentence; null when it can be kept. */
export function cronFault(text: string): string | null {
  const given = text.split(/\s+/);
  if (given.length !== fields.length) return `It has ${given.length} fields, and cron has five.`;
  for (const [at, { name, from, to }] of fields.entries())
    for (const piece of (given[at] ?? '').split(',')) {
      const [whole, first, last] = part.exec(piece) ?? [];
      const low = Number(first ?? from);
      const high = Number(last ?? first ?? to);
      if (whole === undefined || low < from || high > to || low > high) return `"${piece}" is no ${name}.`;
    }
  return null;
}

/** Five fields of numbers, as cron has them: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday). */
export const CronText = z
  .string()
  .trim()
  .superRefine((text, context) => {
    const message = cronFault(text);
    if (message !== null)
      context.addIssue({
        code: 'custom',
        message,
        params: { cure: 'Write five fields of numbers, such as "0 2 * * *" for two at night.' },
      });
  })
  .meta({ examples: ['0 2 * * *'] });

const weekDays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** The same as lines of OnCalendar. With both kinds of days cron means either of them, which takes two lines. */
export function calendarLines(cron: string): string[] {
  const [minute = '', hour = '', day = '', month = '', week = ''] = cron.trim().split(/\s+/);
  const time = `${calendar(hour, 0)}:${calendar(minute, 0)}:00`;
  function line(days: string, weeks: string): string {
    return `${weeks}*-${calendar(month, 1)}-${days} ${time}`;
  }
  const weeks = week === '*' ? '' : `${weekDaysOf(week)} `;
  if (day !== '*' && week !== '*') return [line(calendar(day, 1), ''), line('*', weeks)];
  return [line(calendar(day, 1), weeks)];
}

/** systemd writes a range with two dots, and a step from where it starts. */
function calendar(field: string, start: number): string {
  return field
    .split(',')
    .map((piece) => {
      const [, first, last, step] = part.exec(piece) ?? [];
      const times = step === undefined ? '' : `/${step}`;
      if (first === undefined) return step === undefined ? '*' : `${two(start)}${times}`;
      return `${two(first)}${last === undefined ? '' : `..${two(last)}`}${times}`;
    })
    .join(',');
}

function two(value: string | number): string {
  return String(value).padStart(2, '0');
}

/** The same as a CronJob takes it: there Sunday is 0 alone. */
export function kubeCron(cron: string): string {
  const [week = '', ...before] = cron.trim().split(/\s+/).toReversed();
  if (!week.includes('7')) return cron;
  const days = [...new Set(weekNumbers(week).map((one) => one % 7))].toSorted((a, b) => a - b);
  return [...before.toReversed(), days.join(',')].join(' ');
}

/** Its days have names, and no steps: each is written out. */
function weekDaysOf(field: string): string {
  return [...new Set(weekNumbers(field).map((one) => weekDays[one]))].join(',');
}

function weekNumbers(field: string): number[] {
  return field.split(',').flatMap((piece) => {
    const [, first, last, step] = part.exec(piece) ?? [];
    const from = Number(first ?? 0);
    const to = Number(last ?? first ?? 6);
    const each = Array.from({ length: to - from + 1 }, (_, at) => from + at);
    return each.filter((one) => (one - from) % Number(step ?? 1) === 0);
  });
}
