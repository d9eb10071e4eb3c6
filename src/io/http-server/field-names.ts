/** A header's name: as it was sent, in lower case, and what it means to the server itself. */
export interface FieldName {
  readonly name: string;
  readonly lower: string;
  readonly role: 'host' | 'length' | 'coding' | 'expect' | null;
}

const roles: Record<string, FieldName['role']> = {
  host: 'host',
  'content-length': 'length',
  'transfer-encoding': 'coding',
  expect: 'expect',
};

const known = new Map<string, FieldName>();
const maxKnown = 512;
const maxLength = 64;

/** Clients send the same few names with every request: each is lowered, and its text kept, once. */
export function fieldName(name: string): FieldName {
  const found = known.get(name);
  if (found) return found;
  // A copy: a slice would keep the whole head alive that it was cut from.
  const own = Buffer.from(name, 'latin1').toString('latin1');
  const lower = own.toLowerCase();
  const made: FieldName = { name: own, lower, role: roles[lower] ?? null };
  if (known.size < maxKnown && name.length <= maxLength) known.set(own, made);
  return made;
}
