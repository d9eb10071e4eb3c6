import type { Architecture } from './architecture.ts';
import { sectionsOf } from './sections.ts';
import type { Section } from './sections.ts';

/** The forms in which an architecture is written. */
export const describeFormats = ['md', 'html', 'mermaid'] as const;
export type DescribeFormat = (typeof describeFormats)[number];

export function describeAs(architecture: Architecture, format: DescribeFormat): string {
  switch (format) {
    case 'md':
      return markdown(sectionsOf(architecture));
    case 'html':
      return page(sectionsOf(architecture));
    case 'mermaid':
      return diagram(architecture);
  }
}

function markdown(sections: readonly Section[]): string {
  return sections
    .map(({ heading, text, table, commands }, at) =>
      [
        `${at === 0 ? '#' : '##'} ${heading}`,
        ...(text === undefined ? [] : [text]),
        ...(table === undefined ? [] : [markdownTable(table)]),
        ...(commands === undefined ? [] : [`\`\`\`sh\n${commands.join('\n')}\n\`\`\``]),
      ].join('\n\n'),
    )
    .join('\n\n');
}

function markdownTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

const style =
  'body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}table{border-collapse:collapse}td,th{border:1px solid #8886;padding:.25rem .6rem;text-align:left}pre{background:#8882;padding:.6rem}';

function page(sections: readonly Section[]): string {
  const [first] = sections;
  const parts = sections.map(({ heading, text, table, commands }, at) =>
    [
      at === 0 ? `<h1>${safe(heading)}</h1>` : `<h2>${safe(heading)}</h2>`,
      ...(text === undefined ? [] : [`<p>${safe(text)}</p>`]),
      ...(table === undefined ? [] : [pageTable(table)]),
      ...(commands === undefined ? [] : [`<pre>${safe(commands.join('\n'))}</pre>`]),
    ].join('\n'),
  );
  const title = safe(first?.heading ?? '');
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${style}</style></head><body>\n${parts.join('\n')}\n</body></html>`;
}

function pageTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const top = head.map((cell) => `<th>${safe(cell)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${safe(cell)}</td>`).join('')}</tr>`);
  return `<table><tr>${top}</tr>\n${body.join('\n')}</table>`;
}

/** Names of models and programs come from others: nothing in them is markup. */
function safe(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Who reaches whom, as a flowchart. */
function diagram({ services, gateway, hosts }: Architecture): string {
  const names = new Map(services.map((service, at) => [service, `s${at}`]));
  const places = [...new Set([...hosts.map(({ host }) => host), ...services.map(({ host }) => host)])];
  const boxes = places.flatMap((host, at) => [
    `  subgraph h${at}["${quoted(host)}"]`,
    ...services
      .filter((service) => service.host === host)
      .map((one) => `    ${names.get(one)}["${quoted(`${one.name}<br>${one.engine}<br>${one.listens}`)}"]`),
    '  end',
  ]);
  const routes = (gateway?.routes ?? []).flatMap(({ name }) =>
    services
      .filter((service) => service.routes.includes(name))
      .map((service) => `  gateway -->|"${quoted(name)}"| ${names.get(service)}`),
  );
  const door =
    gateway === null
      ? []
      : [`  clients(["clients"]) --> gateway["gateway<br>${quoted(gateway.listen.join(', '))}"]`];
  return ['flowchart LR', ...door, ...boxes, ...routes].join('\n');
}

/** The quotation mark would end a label; "<br>" of ours is meant. */
function quoted(text: string): string {
  return text.replaceAll('"', '#quot;').replaceAll(/<(?!br>)/g, '#lt;');
}
