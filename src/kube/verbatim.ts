/**
 * A word of a command line or a variable that its container gets as it stands: a cluster puts variables in for "$(NAME)", and takes
 * "$$" for one "$". Others are written as they are. Pure.
 */
export function verbatim(text: string): string {
  return /\$[$(]/.test(text) ? text.replaceAll('$', '$$$$') : text;
}
