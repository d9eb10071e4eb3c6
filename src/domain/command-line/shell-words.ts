/**
 * The simple commands of a shell text, each as words: "cd /opt && exec ./server -m x" gives two. Quotes and
 * backslashes are undone, redirections and control words dropped; variables and substitutions stay as written.
 * A reader for command lines of others, not a shell: what a loop, a condition or a function runs is told, not how often or
 * whether; what a here-document holds is told to nobody.
 */
export function shellCommands(text: string): string[][] {
  const commands: string[][] = [[]];
  const tokens = shellTokens(
    withoutHereDocuments(text).replaceAll(goesOn, '$1 ').replaceAll(lookedUp, '$1$2'),
  );
  for (const [at, token] of tokens.entries()) {
    const command = commands.at(-1);
    const ends = tokens[at + 1]?.separator ?? true;
    if (token.separator) commands.push([]);
    else command?.push(ends && command.length > 0 ? token.closed : token.text);
  }
  return commands
    .map((words) => withoutControl(withoutRedirections(words)))
    .filter((words) => words.length > 0);
}

/** The end of a line behind a backslash that is not itself escaped. */
const goesOn = /(?<!\\)((?:\\\\)*)\\\n/g;

/** "$(which llama-server)" is llama-server. */
const lookedUp = /\$\((?:which|command -v) ([\w./-]+)\)|`(?:which|command -v) ([\w./-]+)`/g;

/** The lines between "<<EOF" and "EOF" are data, also where they read as commands. */
function withoutHereDocuments(text: string): string {
  return text.replaceAll(hereDocument, '$3');
}

const hereDocument = /<<-?\s*(["']?)\b(\w+)\1([^\n]*)\n(?:[^\n]*\n)*?[\t ]*\2(?=\n|$)/g;

/** `NAME=(WORDS)`, `NAME+=(WORDS)` */
export const arrayWords = /^([A-Za-z_]\w*)(\+?)=\((.*)\)$/s;

interface Token {
  readonly text: string;
  /** Without the end of a group that began with an earlier command. */
  readonly closed: string;
  readonly separator: boolean;
}

/** One part of a word: a substitution, words of an array, quoted text, or plain letters. */
const partOfWord = [
  String.raw`[<>$]\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)`,
  String.raw`(?<=\w\+?=)\((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^()"'\\])*\)`,
  '`[^`]*`',
  String.raw`"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s;&|"'\\]|(?<=[<>])&|&(?=>)`,
].join('|');
const comment = String.raw`(?<![^\s;&|])#[^\n]*`;
const tokenPattern = new RegExp(String.raw`${comment}|(?:${partOfWord})+|&&|\|\||[;&|\n]`, 'gsu');

function shellTokens(text: string): Token[] {
  const tokens = [...text.matchAll(tokenPattern)].filter(([token]) => !token.startsWith('#'));
  return tokens.map(([token]) => ({
    text: unquote(token),
    closed: /^[^"'\\(]+\)+$/.test(token) ? token.replace(/\)+$/, '') : unquote(token),
    separator: /^(&&|\|\||[;&|\n])$/.test(token),
  }));
}

function unquote(token: string): string {
  // The words of an array are told apart by their quotes.
  if (arrayWords.test(token)) return token;
  return token.replace(
    /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gsu,
    (_, double?: string, single?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? '') : double.replace(/\\(["\\$`])/g, '$1'),
  );
}

/** "2>&1", ">/var/log/x" and "> /var/log/x" are no arguments. */
function withoutRedirections(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] as string;
    if (/^(\d*|&)(>>?|<)$/.test(word)) i += 1;
    else if (!/^(\d*|&)(>>?|<)./.test(word)) kept.push(word);
  }
  return kept;
}

const controlWords = new Set([
  'do',
  'then',
  'else',
  'elif',
  'if',
  'while',
  'until',
  '{',
  '}',
  '!',
  '(',
  ')',
  'fi',
  'done',
  'coproc',
  'builtin',
]);

/** "do ./server" and "(./server)" run the server. */
function withoutControl(words: readonly string[]): string[] {
  const [first = '', ...rest] = words;
  if (controlWords.has(first)) return withoutControl(rest);
  // `start() { ./server`, `start () { ./server`, `function start { ./server`
  if (/^[\w-]+\(\)$/.test(first)) return withoutControl(rest);
  if (rest[0] === '()' || (first === 'function' && rest.length > 1)) return withoutControl(rest.slice(1));
  // `case WORD in PATTERN) ./server`
  if (first === 'case') return withoutControl(rest.slice(rest.findIndex((word) => word.endsWith(')')) + 1));
  if (!/^\(+[^(]/.test(first)) return [...words];
  const bare = [first.replace(/^\(+/, ''), ...rest];
  return bare.map((word, at) => (at === bare.length - 1 ? word.replace(/\)+$/, '') : word)).filter(Boolean);
}
