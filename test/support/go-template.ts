/** Of an object's metadata, by the names that Go has for them. */
export interface GoMeta {
  readonly Name: string;
  readonly Namespace: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Annotations: Readonly<Record<string, string>>;
}

/**
 * What KServe makes of a container: its JSON is a template of Go's html/template, filled in with the metadata of the service. Knows
 * texts, fields and comments; throws on whatever else stands between braces, as Go does on nearly all that is no template of its own.
 */
export function filledByKserve<Value>(container: Value, meta: GoMeta): Value {
  return JSON.parse(filled(goJson(container), meta)) as Value;
}

/** Go writes these three so, which keeps tags of HTML out of the template. */
function goJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('&', '\\u0026');
}

const operand = /(?:\/\*.*?\*\/|`[^`]*`|"(?:[^"\\\n]|\\.)*"|(?:\.[A-Za-z_]\w*)+)/s;
const action = new RegExp(String.raw`^\{\{(-(?=\s))?\s*(${operand.source})\s*((?<=\s)-)?\}\}`, 's');

function filled(template: string, meta: GoMeta): string {
  let made = '';
  let rest = template;
  for (let at = rest.indexOf('{{'); at >= 0; at = rest.indexOf('{{')) {
    const found = action.exec(rest.slice(at));
    if (!found) throw new Error(`no action of a template of Go: ${rest.slice(at, at + 40)}`);
    const [whole, left, word = '', right] = found;
    const before = rest.slice(0, at);
    made += (left ? before.trimEnd() : before) + valueOf(word, meta);
    rest = rest.slice(at + whole.length);
    if (right) rest = rest.trimStart();
  }
  return made + rest;
}

function valueOf(word: string, meta: GoMeta): string {
  if (word.startsWith('/*')) return '';
  if (word.startsWith('`')) return escaped(word.slice(1, -1));
  if (word.startsWith('"')) return escaped(JSON.parse(word) as string);
  const [field = '', key, ...more] = word.slice(1).split('.');
  const value = meta[field as keyof GoMeta] as GoMeta[keyof GoMeta] | undefined;
  if (typeof value === 'string' && key === undefined) return escaped(value);
  if (typeof value === 'object' && key !== undefined && more.length === 0) return escaped(value[key] ?? '');
  throw new Error(`the metadata of a service has no ${word}`);
}

const entities: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '+': '&#43;',
};

function escaped(text: string): string {
  return text.replace(/["'&<>+]/g, (sign) => entities[sign] ?? sign);
}
