/** Names that end so carry a secret; "--eos-token" and "--api-key-file" do not. */
const secretName =
  '--?(?:[\\w-]*(?:api-?key|secret|password|passwd)|(?:[\\w-]*(?:hf|hub|auth|access|bearer)-?)?token|hft)';
const secretFlag = new RegExp(`^${secretName}$`, 'i');

/** A flag with its value inside a longer text: the command of a shell, or a title that a program gave itself. */
const secretInText = new RegExp(`(^|[\\s"'])(${secretName})(=|\\s+)("[^"]*"|'[^']*'|\\S+)`, 'gi');

/** "HF_TOKEN=hf_1" in front of a command. */
const assignment = /\b([A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD))=("[^"]*"|'[^']*'|[^\s;&|]+)/g;

/** "https://user:password@host" */
const credentials = /(:\/\/)[^/@\s]+@/g;

/** "$(KEY)", "${KEY}" and "$KEY" name a secret that lies elsewhere, and are none. */
const reference = /^\$([A-Z_][A-Z0-9_]*|\([A-Z_][A-Z0-9_]*\)|\{[A-Z_][A-Z0-9_]*\})$/;

/** Flags of a command line that carry a secret in plain sight: everyone on the machine can read it. */
export function secretFlagsOf(argv: readonly string[]): string[] {
  return [...new Set(argv.flatMap((_word, at) => secretFlagsIn(argv, at)))];
}

/** The flag in the word at `at` whose secret stands in that word or the next; null when there is none. */
export function secretFlagAt(argv: readonly string[], at: number): string | null {
  return secretFlagsIn(argv, at)[0] ?? null;
}

function secretFlagsIn(argv: readonly string[], at: number): string[] {
  const word = argv[at] ?? '';
  if (/\s/.test(word))
    return [...word.matchAll(secretInText)].flatMap(([, , flag = '', , value = '']) =>
      /^["']?\$/.test(value) ? [] : [flag],
    );
  const [name = '', value] = word.split('=', 2);
  if (!secretFlag.test(name)) return [];
  const shown = value ?? argv[at + 1];
  return shown === undefined || shown === '' || shown.startsWith('$') ? [] : [name];
}

/** The same command line with every secret replaced. Whatever of a foreign command line is shown goes through here. */
export function redact(argv: readonly string[]): string[] {
  return argv.map((word, at) => {
    if (secretFlag.test(argv[at - 1] ?? '')) return reference.test(word) ? word : '***';
    if (/\s/.test(word)) return redactText(word);
    const [name = '', ...value] = word.split('=');
    if (!secretFlag.test(name) || value.length === 0) return redactText(word);
    return reference.test(value.join('=')) ? word : `${name}=***`;
  });
}

/** A text of others with the secrets in it replaced. */
export function redactText(text: string): string {
  return text.replace(secretInText, '$1$2$3***').replace(assignment, '$1=***').replace(credentials, '$1***@');
}
