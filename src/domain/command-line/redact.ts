/** Names that end so carry a secret; "--eos-token" and "--api-key-file" do not. */
const secretName =
  '--?(?:[\\w-]*(?:api[-_]?keys?|(?:admin|master)[-_]?key|secret|password|passwd)|gradio[-_]auth|(?:[\\w-]*(?:hf|hub|auth|access|bearer)[-_]?)?token|hft)';
const secretFlag = new RegExp(`^${secretName}$`, 'i');

/** Of these several may follow, up to the next flag: servers of Python read a list of keys. */
const listName = '--?[\\w-]*api[-_]?keys?';
const listFlag = new RegExp(`^${listName}$`, 'i');

/**
 * A flag with its value inside a longer text: the command of a shell, or a title that a program gave itself. Another such flag is
 * no value: taken for one, it would hide its own.
 */
const secretInText = new RegExp(
  `(^|[\\s"'])(${secretName})(=|\\s+(?!${secretName}[=\\s]))("[^"]*"|'[^']*'|\\S+)`,
  'gi',
);

/** In the text of a shell the list also ends where the command does, or is told where to write. */
const key = `(?:"[^"]*"|'[^']*'|\\$\\([\\w.-]+\\)|(?![-;&|<>"']|\\d*[<>])[^\\s;&|"')]+)`;
const listInText = new RegExp(`((?:^|[\\s"'])${listName}\\s+)(${key}(?:\\s+${key})*)`, 'gi');

/** "HF_TOKEN=hf_1" in front of a command. */
const assignment = /\b([A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD))=("[^"]*"|'[^']*'|[^\s;&|]+)/g;

/** "https://user:password@host" */
const credentials = /(:\/\/)[^/@\s]+@/g;

/** "Authorization: Bearer sk-1" in whatever quotes, and the name and the value as two words of a program. */
const header =
  /((?:\b|-H)(?:(?:proxy-)?authorization|(?:[a-z]+-)*(?:api-?key|auth-token)))(\\?["']?\s*:\s*\\?["']?|\\?["']\s*,\s*\\?["'])((?:(?:bearer|basic|token|api-?key|key)\s+)?)([^\s"'\\,;|)}]+)/gi;

/** "$(KEY)", "${KEY}" and "$KEY" name a secret that lies elsewhere, and are none; Kubernetes puts "$(vllm-key)" in too. */
const reference = /^\$([A-Z_][A-Z0-9_]*|\([A-Za-z_][\w.-]*\)|\{[A-Z_][A-Z0-9_]*\})$/;

/** Words that stand where a program wants a secret and is given none. */
const nothing =
  /^(none|null|empty|dummy|placeholder|unused|(sk-)?no[-_]?key([-_](required|needed))?|not[-_]?(needed|required|used)|true|false|yes|no|on|off|[01])?$/i;

export function standsForNothing(value: string): boolean {
  return nothing.test(value);
}

/** Whether options that were read from a command line have a secret, shown or replaced. */
export function holdSecret(options: Readonly<Record<string, unknown>>): boolean {
  const { args } = options;
  const words = Array.isArray(args) ? args.map(String) : [];
  return JSON.stringify(options).includes('***') || secretFlagsOf(words).length > 0;
}

/** Flags of a command line that carry a secret in plain sight: everyone on the machine can read it. */
export function secretFlagsOf(argv: readonly string[]): string[] {
  return [...new Set(argv.flatMap((_word, at) => secretFlagsAt(argv, at).map(({ flag }) => flag)))];
}

/** A flag that has the name of a secret, with what is given to it. */
export interface SecretFlag {
  readonly flag: string;
  readonly value: string;
  /** In one word with the flag ("--token=abc"), so that it cannot be a word of its own. */
  readonly joined: boolean;
}

/** The flags in the word at `at` with a value in that word or the next; a variable of the shell is none. */
export function secretFlagsAt(argv: readonly string[], at: number): SecretFlag[] {
  const word = argv[at] ?? '';
  if (/\s/.test(word))
    return [...word.matchAll(secretInText)].flatMap(([, , flag = '', between, value = '']) =>
      /^["']?\$/.test(value) ? [] : [{ flag, value, joined: between === '=' }],
    );
  const [flag = '', own] = word.split('=', 2);
  if (!secretFlag.test(flag)) return [];
  const values = own === undefined ? [argv[at + 1] ?? '', ...listBehind(argv, at)] : [own];
  return values.flatMap((value) =>
    value === '' || value.startsWith('$') ? [] : [{ flag, value, joined: own !== undefined }],
  );
}

/** What a flag for several keys is given behind the first. */
function listBehind(argv: readonly string[], at: number): string[] {
  if (!listFlag.test(argv[at] ?? '') || (argv[at + 1] ?? '-').startsWith('-')) return [];
  const rest = argv.slice(at + 2);
  const end = rest.findIndex((word) => word.startsWith('-'));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The same command line with every secret replaced. Whatever of a foreign command line is shown goes through here. */
export function redact(argv: readonly string[]): string[] {
  const listed = new Set(argv.flatMap((_word, at) => listBehind(argv, at).map((_key, nth) => at + 2 + nth)));
  return argv.map((word, at) => {
    if (listed.has(at) || secretFlag.test(argv[at - 1] ?? '')) return isShown(word) ? word : '***';
    if (/\s/.test(word)) return redactText(word);
    const [name = '', ...value] = word.split('=');
    if (!secretFlag.test(name) || value.length === 0) return redactText(word);
    return isShown(value.join('=')) ? word : `${name}=***`;
  });
}

function isShown(value: string): boolean {
  return reference.test(value) || standsForNothing(value);
}

/** A text of others with the secrets in it replaced. */
export function redactText(text: string): string {
  return text
    .replace(listInText, (_whole, flag: string, keys: string) => `${flag}${hideEach(keys)}`)
    .replace(secretInText, (whole, before: string, flag: string, between: string, value: string) =>
      [/[;&|)]+$/, /[;&|]+$/].some((end) => isShown(unquoted(value.replace(end, ''))))
        ? whole
        : `${before}${flag}${between}***`,
    )
    .replace(assignment, '$1=***')
    .replace(header, (whole, name: string, between: string, scheme: string, value: string) =>
      isShown(value) ? whole : `${name}${between}${scheme}***`,
    )
    .replace(credentials, '$1***@');
}

function hideEach(keys: string): string {
  return keys.replace(/"[^"]*"|'[^']*'|\S+/g, (key) => (isShown(unquoted(key)) ? key : '***'));
}

/** A word of a shell without the quotes around it. */
export function unquoted(value: string): string {
  return value.replace(/^(["'])(.*)\1$/s, '$2');
}
