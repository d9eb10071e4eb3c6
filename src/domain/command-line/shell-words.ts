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

/** The lines between "<<EOF" and "EOF" are data, also where they read as commands; a "<<" whose end never comes is none. */
function withoutHereDocuments(text: string): string {
  if (!text.includes('<<')) return text;
  const lines = text.split('\n');
  const lastAt = new Map(lines.map((line, at) => [line.trimStart(), at]));
  const ends: string[] = [];
  const kept: string[] = [];
  for (const [at, line] of lines.entries()) {
    if (ends[0] === undefined)
      kept.push(
        line.replaceAll(hereDocument, (whole, single?: string, double?: string, bare?: string) => {
          const end = single ?? double ?? bare?.replaceAll('\\', '') ?? '';
          if ((lastAt.get(end) ?? 0) <= at) return whole;
          ends.push(end);
          return '';
        }),
      );
    else if (line.trimStart() === ends[0]) {
      ends.shift();
      while (ends[0] !== undefined && (lastAt.get(ends[0]) ?? 0) <= at) ends.shift();
    }
  }
  return kept.join('\n');
}

const hereDocument = /(?<!<)<<-?[\t ]*(?:'([^']+)'|"([^"]+)"|((?:\\?[\w.+@%/-])+))/g;

/** `NAME=(WORDS)`, `NAME+=(WORDS)` */
export const arrayWords = /^([A-Za-z_]\w*)(\+?)=\((.*)\)$/s;

interface Token {
  readonly text: string;
  /** Without the end of a group that began with an earlier command. */
  readonly closed: string;
  readonly separator: boolean;
}

const substituted = String.raw`[<>$]\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|${'`[^`]*`'}`;

/**
 * What stands between the parentheses of an array. A text can be read in one way only, and a comment begins where one begins
 * outside, too: else a text of a stranger takes time without end.
 */
const inArray = [
  String.raw`(?<=\s)#[^\n]*(?=\n)`,
  substituted,
  String.raw`"(?:\\.|[^"\\])*"|'[^']*'|\\.|(?!(?<=\s)#)[^()"'\\${'`'}]`,
].join('|');

/** One part of a word: a substitution, words of an array, quoted text, or plain letters. */
const partOfWord = [
  substituted,
  String.raw`(?<=\w\+?=)\((?:${inArray})*\)`,
  String.raw`"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s;&|"'\\]|(?<=[<>])&|&(?=>)`,
].join('|');
const comment = String.raw`(?<![^\s;&|])#[^\n]*`;
const tokenPattern = new RegExp(String.raw`${comment}|(?:${partOfWord})+|&&|\|\||[;&|\n]`, 'gsu');

function shellTokens(text: string): Token[] {
  const tokens = [...text.matchAll(tokenPattern)].filter(([token]) => !token.startsWith('#'));
  return tokens.map(([token]) => ({
    text: unquote(token),
    closed: token.length > 1 && !/["'\\(]/.test(token) ? withoutClosing(token) : unquote(token),
    separator: /^(&&|\|\||[;&|\n])$/.test(token),
  }));
}

function withoutClosing(word: string): string {
  let end = word.length;
  while (word[end - 1] === ')') end -= 1;
  return word.slice(0, end);
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
  const own = words.slice(controlEnds(words));
  const [first = '', ...rest] = own;
  if (!/^\(+[^(]/.test(first)) return own;
  const bare = [first.replace(/^\(+/, ''), ...rest];
  return bare.map((word, at) => (at === bare.length - 1 ? withoutClosing(word) : word)).filter(Boolean);
}

function controlEnds(words: readonly string[]): number {
  const lastPattern = words.findLastIndex((word) => word.endsWith(')'));
  let at = 0;
  for (;;) {
    const first = words[at] ?? '';
    // `start() { ./server`, `start () { ./server`, `function start { ./server`
    if (controlWords.has(first) || /^[\w-]+\(\)$/.test(first)) at += 1;
    else if (words[at + 1] === '()' || (first === 'function' && at + 2 < words.length)) at += 2;
    // `case WORD in PATTERN) ./server`
    else if (first === 'case') at = lastPattern > at ? patternEnds(words, at) : at + 1;
    else return at;
  }
}

function patternEnds(words: readonly string[], from: number): number {
  let at = from;
  while (words[at]?.endsWith(')') === false) at += 1;
  return at + 1;
}
