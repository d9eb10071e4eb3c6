/** First come, first served within a key; keys take turns, so that one busy key cannot shut the others out. */
export class FairQueue<Item> {
  /** Keys in the order of their turns. */
  readonly #lines = new Map<string, Item[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(key: string, item: Item): void {
    const line = this.#lines.get(key);
    if (line) line.push(item);
    else this.#lines.set(key, [item]);
    this.#size += 1;
  }

  /** False when it is not there any more. */
  remove(key: string, item: Item): boolean {
    const line = this.#lines.get(key);
    const at = line?.indexOf(item) ?? -1;
    if (!line || at < 0) return false;
    line.splice(at, 1);
    if (line.length === 0) this.#lines.delete(key);
    this.#size -= 1;
    return true;
  }

  /** How many turns until it is served, 1 for the next; Infinity when it is not there. */
  placeOf(key: string, item: Item): number {
    const own = this.#lines.get(key)?.indexOf(item) ?? -1;
    return own < 0 ? Infinity : this.#place(key, own);
  }

  /** The same for one who would come now. */
  placeOfNew(key: string): number {
    return this.#place(key, this.#lines.get(key)?.length ?? 0);
  }

  /** Of whoever has `own` before it in its own line. */
  #place(key: string, own: number): number {
    let before = own;
    let isBefore = true;
    for (const [other, line] of this.#lines) {
      if (other === key) isBefore = false;
      else before += Math.min(line.length, isBefore ? own + 1 : own);
    }
    return before + 1;
  }

  /** Whose turn is next, left where it is. */
  peek(): Item | undefined {
    for (const line of this.#lines.values()) return line[0];
    return undefined;
  }

  next(): Item | undefined {
    for (const [key, line] of this.#lines) {
      const item = line.shift() as Item;
      this.#lines.delete(key);
      if (line.length > 0) this.#lines.set(key, line);
      this.#size -= 1;
      return item;
    }
    return undefined;
  }

  /** Takes out the latest of the key with the most: whoever has the least claim. */
  takeLast(): Item | undefined {
    let longest: [string, Item[]] | null = null;
    for (const entry of this.#lines) if (entry[1].length > (longest?.[1].length ?? 0)) longest = entry;
    const item = longest?.[1].at(-1);
    if (longest && item !== undefined) this.remove(longest[0], item);
    return item;
  }

  /** Empties it. */
  *drain(): Generator<Item> {
    for (let item = this.next(); item !== undefined; item = this.next()) yield item;
  }
}
