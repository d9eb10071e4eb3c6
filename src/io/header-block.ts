/** Headers that many messages have in common, ready for the wire. Shared: what is in it must not vary with a request. */
export class HeaderBlock {
  /** Names and values in turn. */
  readonly list: readonly string[];
  /** Lines with their ends; latin1. */
  readonly text: string;
  /** A server has found names and values fit to be sent. */
  checked = false;
  #start = '';
  #behind = '';

  constructor(list: readonly string[]) {
    let text = '';
    for (let i = 0; i < list.length; i += 2) text += `${list[i]}: ${list[i + 1]}\r\n`;
    this.list = list;
    this.text = flat(text);
  }

  /** The lines of this block behind the first ones of a message; made once, as most that have the block begin alike. */
  behind(start: string): string {
    if (start !== this.#start) {
      this.#start = start;
      this.#behind = flat(start + this.text);
    }
    return this.#behind;
  }
}

/** In one piece: a joined string would be walked piece by piece each time that it is written. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
